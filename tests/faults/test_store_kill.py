"""``kill -9`` under writers: what was acknowledged is there, round after round, on one file."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest

from tests.faults import store_writer
from tests.faults.killed import Writers
from tests.faults.store_rounds import lost

ROUNDS = 20


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    made = Writers(store_writer.__name__)
    yield made
    made.close()


@pytest.mark.slow
def test_no_acknowledged_write_is_lost(tmp_path: FilePath, writers: Writers) -> None:
    """Twenty kills at random moments; each round goes on in the file the last one left, and nothing older is lost."""
    moments = random.Random(20)
    everything: set[str] = set()
    for _ in range(ROUNDS):
        acknowledged = writers.killed(tmp_path, mode="plain", after=moments.randint(1, 120))
        assert lost(tmp_path, acknowledged) == []
        everything |= acknowledged
    assert lost(tmp_path, everything) == []
    assert len(everything) > ROUNDS


@pytest.mark.slow
def test_control_a_hasty_acknowledgement_is_seen(tmp_path: FilePath, writers: Writers) -> None:
    """The same loop over a writer that acknowledges too early does find losses."""
    moments = random.Random(20)
    assert any(lost(tmp_path, writers.killed(tmp_path, mode="hasty", after=moments.randint(1, 120))) for _ in range(5))
