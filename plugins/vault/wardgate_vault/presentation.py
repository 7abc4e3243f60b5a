"""How a mount is shown to Vault's clients: its key in the mount's presentation, and what can stand there."""

from __future__ import annotations

from typing import Final

PRESENTATION: Final = "vault.kv"
SHOWN_AS: Final = "2"
"""How a mount is shown where nothing is said."""
FIRST: Final = "1"
