"""What several rooms' tests share: a clock that is set, a seal, and an initialised state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wardgate.crypto import KeyFileSeal
from wardgate.server.epochs import LocalEpochs
from wardgate.state import State

from tests.support.clock import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def seal(tmp_path: Path) -> KeyFileSeal:
    return KeyFileSeal.create(tmp_path / "key")


@pytest.fixture
def state(tmp_path: Path, seal: KeyFileSeal, clock: SetClock) -> Iterator[State]:
    made = State.create(tmp_path / "data", seal, clock)
    yield made
    made._database.close_and_wait()


@pytest.fixture
def reopen(tmp_path: Path, seal: KeyFileSeal, clock: SetClock) -> Iterator[Callable[..., State]]:
    """Opens the same folder once more, as another worker does, with epochs of its own unless some are given."""
    opened: list[State] = []

    def open_again(epochs: LocalEpochs | None = None) -> State:
        opened.append(State.open(tmp_path / "data", seal, clock, epochs or LocalEpochs()))
        return opened[-1]

    yield open_again
    for each in opened:
        each._database.close_and_wait()
