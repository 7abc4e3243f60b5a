"""Tuning of mounts, and the ways to log in: what can change, what is refused, and what a forged row does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update
from wardgate.spi.errors import InvalidValue, SecretNotFound, Unavailable
from wardgate.spi.identity import Principal
from wardgate.spi.operations.methods import METHODS, ListMethods, ListVisibleMethods, ReadMethod
from wardgate.spi.operations.mounts import MOUNTS, CacheTtl, CreateMount, ReadMount, TuneMount
from wardgate.spi.path import Path
from wardgate.state import State
from wardgate.state.tables import mounts

SECOND = 10**9
AT = MOUNTS.child("a")


@pytest.fixture
def mounted(desk: Any) -> Any:
    desk.do(CreateMount(path=AT, type="memory", options={"address": "here", "token": "t"}, description="first"))
    return desk


def test_what_is_named_changes_and_the_rest_stays(mounted: Any, other_worker: Any) -> None:
    """In every worker at once; the options are as they were."""
    mounted.do(TuneMount(path=AT, presentation={"vault.kv": "2"}, cache_ttl=CacheTtl(30 * SECOND)))
    tuned = mounted.do(TuneMount(path=AT, description="second", max_lease_ttl=SECOND))

    seen = other_worker.do(ReadMount(path=AT))
    assert seen == tuned
    assert ("second", {"vault.kv": "2"}, 30 * SECOND, SECOND) == (
        seen.description, seen.presentation, seen.cache_ttl, seen.max_lease_ttl,
    )  # fmt: skip
    (mount,) = other_worker.opened.of("root")
    assert 30 * SECOND == mount.cache_ttl
    assert "t" == other_worker.state.mounts.at("root", Path(("a",))).options["token"]
    assert mounted.do(TuneMount(path=AT, cache_ttl=CacheTtl(None))).cache_ttl is None


@pytest.mark.parametrize(
    "change",
    [
        {"presentation": {"vault.kv": "3"}}, {"presentation": {"no.such": "1"}}, {"description": "\n"},
        {"cache_ttl": CacheTtl(-1)}, {"cache_ttl": CacheTtl(86_401 * SECOND)}, {"default_lease_ttl": -1},
        {"default_lease_ttl": 2 * SECOND, "max_lease_ttl": SECOND},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(mounted: Any, change: dict[str, Any]) -> None:
    """And the mount stays as it was."""
    before = mounted.do(ReadMount(path=AT))

    with pytest.raises(InvalidValue):
        mounted.do(TuneMount(path=AT, **change))
    assert before == mounted.do(ReadMount(path=AT))


def test_a_mount_that_is_not_there_is_not_tuned(desk: Any) -> None:
    """Nor made by it."""
    with pytest.raises(SecretNotFound):
        desk.do(TuneMount(path=AT, description="x"))


def test_changes_made_at_once_all_hold(mounted: Any, other_worker: Any) -> None:
    """None is made to the mount as it was before the others."""
    mounted.do_at_once(
        TuneMount(path=AT, description="x"),
        TuneMount(path=AT, max_lease_ttl=10**12),
        TuneMount(path=AT, default_lease_ttl=10**11),
        TuneMount(path=AT, cache_ttl=CacheTtl(0)),
    )
    seen = other_worker.do(ReadMount(path=AT))
    assert ("x", 10**12, 10**11, 0) == (
        seen.description, seen.max_lease_ttl, seen.default_lease_ttl, seen.cache_ttl,
    )  # fmt: skip


def test_a_row_changed_outside_is_not_blessed_by_tuning(mounted: Any, state: State) -> None:
    """A forged type would otherwise get a genuine code."""
    forged = update(mounts).values(type="other")
    asyncio.run(state._database.write(lambda connection: connection.execute(forged)))

    with pytest.raises(Unavailable, match="changed outside"):
        asyncio.run(state.mounts.tune("root", Path(("a",)), lambda row: row))


def test_the_ways_to_log_in_are_shown_to_whom_they_answer(desk: Any) -> None:
    """All to who may list them; else those below which one may do anything."""
    assert ["approle", "token"] == [method.name for method in desk.do(ListMethods())]
    assert "approle" == desk.do(ReadMethod(path=METHODS.child("approle"))).name
    with pytest.raises(SecretNotFound):
        desk.do(ReadMethod(path=METHODS.child("ldap")))
    plain = Principal("p", "root", "p", "key", (), "a")
    assert ["token"] == [method.name for method in desk.do(ListVisibleMethods(), who=plain)]
