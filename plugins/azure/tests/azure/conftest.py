"""What the tests of this plugin share: the stand-in, a credential for it, and backends that are closed at the end."""

from __future__ import annotations

from tests.servers.key_vault import key_vault

__all__ = ["key_vault"]
