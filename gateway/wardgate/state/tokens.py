"""Names and tokens: random, and made so that a scanner can tell one in a leaked file."""

from __future__ import annotations

import base64
import secrets
import zlib

TOKEN_PREFIX = "wg_"  # noqa: S105  # a prefix, not a password
_TOKEN_BYTES = 32


def new_token() -> str:
    """``wg_``, 256 random bits in 43 characters, and 6 characters of checksum over them (CRC-32)."""
    body = _letters(secrets.token_bytes(_TOKEN_BYTES))
    return f"{TOKEN_PREFIX}{body}{checksum(body)}"


def checksum(body: str) -> str:
    """What ends a token: 6 characters that a scanner can recompute."""
    return _letters(zlib.crc32(body.encode()).to_bytes(4, "big"))


def new_id() -> str:
    """The id of a row: 32 hexadecimal digits, never used again."""
    return secrets.token_hex(16)


def _letters(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
