"""Vault and OpenBao: their servers as a backend, their clients as callers."""
