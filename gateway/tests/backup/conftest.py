"""What the backup's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.backup_world import World, furnished


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A data folder with something of everything in it."""
    return furnished(tmp_path)
