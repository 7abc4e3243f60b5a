"""Azure Key Vault as a backend."""
