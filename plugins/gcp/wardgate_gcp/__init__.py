"""Google Secret Manager as a backend."""
