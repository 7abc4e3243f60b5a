"""Vault's policies in the gateway's rules: read as text, mapped to allow no more than Vault would, rendered."""
