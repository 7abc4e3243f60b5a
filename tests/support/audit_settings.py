"""How an audit is kept in tests: as the configuration has it by itself, but for what a test turns on."""

from __future__ import annotations

from typing import Any

from wardgate.pipeline.audit import Settings


def kept(**changes: Any) -> Settings:
    """Files as large and as many as anybody's who configures nothing, synced."""
    return Settings(**{"synced": True, "max_file_bytes": 256 * 1024 * 1024, "retention_files": 0, **changes})
