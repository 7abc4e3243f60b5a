"""The loads: the worker with fewer connections takes the next, and nobody waits for one that is not there."""

from __future__ import annotations

import os

from wardgate.server.loads import NOBODY, SLACK, Loads


def test_a_worker_alone_is_never_ahead() -> None:
    """Whatever it has."""
    loads = Loads(3)
    loads.tell(1, 10_000)
    assert not loads.ahead(1)


def test_a_worker_is_ahead_when_another_has_clearly_fewer() -> None:
    """A few more make no difference."""
    loads = Loads(2)
    loads.tell(0, SLACK)
    loads.tell(1, 0)
    assert not loads.ahead(0)
    loads.tell(0, SLACK + 1)
    assert (loads.ahead(0), loads.ahead(1)) == (True, False)
    loads.tell(1, NOBODY)
    assert not loads.ahead(0)


def test_what_a_forked_worker_tells_is_seen_here() -> None:
    """The memory is shared."""
    loads = Loads(2)
    child = os.fork()
    if child == 0:
        loads.tell(1, 0)
        os._exit(0)
    os.waitpid(child, 0)
    loads.tell(0, 100)
    assert loads.ahead(0)
