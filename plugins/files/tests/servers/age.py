"""age's own command, unmodified, built once with Go."""

from __future__ import annotations

from pathlib import Path

from tests.servers.programs import go_binary


def binary() -> Path:
    """The command; see ``go_binary``."""
    return go_binary("age", Path(__file__).with_name("age_build"), "age", package="filippo.io/age/cmd/age")
