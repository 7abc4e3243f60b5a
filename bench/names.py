"""The secrets that every store of another vendor is filled with."""

from __future__ import annotations

NAMES = tuple(f"secret-{number:05}" for number in range(10_000))
READ = NAMES[4_242]
TEXT = '{"password": "0123456789abcdef"}'
