"""Power cuts under the store: what was acknowledged survives losing all that was not synced."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest

from tests.faults import store_writer
from tests.faults.killed import Writers
from tests.faults.power_cut import CUTS, cut, library
from tests.faults.store_rounds import lost


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    """Writers on a disk that forgets."""
    made = Writers(store_writer.__name__, preload=library(tmp_path_factory.mktemp("shim")))
    yield made
    made.close()


@pytest.mark.slow
def test_no_acknowledged_write_is_lost(tmp_path: FilePath, writers: Writers) -> None:
    """Twenty cuts at random moments lose nothing, and leave a file that SQLite finds whole."""
    moments = random.Random(400)
    for number in range(CUTS):
        assert lost(*cut(tmp_path / str(number), writers, moments, mode="plain")) == []


@pytest.mark.slow
def test_control_without_the_sync_writes_are_lost(tmp_path: FilePath, writers: Writers) -> None:
    """With ``synchronous=NORMAL`` the same cuts lose acknowledged writes; a shim that saw none would be blind."""
    moments = random.Random(400)
    assert any(lost(*cut(tmp_path / str(number), writers, moments, mode="unsynced")) for number in range(CUTS))
