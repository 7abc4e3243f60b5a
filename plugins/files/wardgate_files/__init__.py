"""A folder of age-encrypted files as a backend."""
