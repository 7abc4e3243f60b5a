"""``wardgate mount tune``: what is asked of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.operations.mounts import CacheTtl, MountInfo, TuneMount
from wardgate.spi.path import Path

from tests.support.scripted import Scripted

SECOND = 10**9
AT = Path(("sys", "mounts", "a"))


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        ("--description x", TuneMount(path=AT, description="x")),
        ("--present vault.kv=1", TuneMount(path=AT, presentation={"vault.kv": "1"})),
        ("--cache-ttl 5m", TuneMount(path=AT, cache_ttl=CacheTtl(300 * SECOND))),
        ("--cache-ttl 0", TuneMount(path=AT, cache_ttl=CacheTtl(0))),
        ("--cache-ttl default", TuneMount(path=AT, cache_ttl=CacheTtl(None))),
    ],
)
def test_what_is_named_is_asked_for(
    gateway: Scripted, run: Callable[..., Any], words: str, operation: TuneMount
) -> None:
    """And nothing else."""
    gateway.answers[TuneMount] = MountInfo("id", Path(("a",)), "native", {}, {}, 1)

    result = run("mount", "tune", "a/", *words.split())

    assert 0 == result.exit_code, result.stderr
    assert [operation] == gateway.asked


@pytest.mark.parametrize("words", ["", "--cache-ttl soon", "--present x"])
def test_what_says_nothing_is_refused_here(gateway: Scripted, run: Callable[..., Any], words: str) -> None:
    """Before anything is asked."""
    assert 2 == run("mount", "tune", "a", *words.split()).exit_code
    assert [] == gateway.asked
