"""A new mount's store is asked before the mount is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.backend import Permission
from wardgate.spi.errors import InvalidValue, OutcomeUnknown, PermissionDenied, RateLimited, Unavailable, WardgateError
from wardgate.spi.operations.mounts import MOUNTS, CreateMount, ListMounts

Answers = Callable[[object], None]
CANARY = "canary-of-a-token"
READ = Permission("get", frozenset({"read"}), granted=True)
WRITE = Permission("put", frozenset({"write"}), granted=False)
LABEL = Permission("tag", frozenset({"labels"}), granted=False)


def mount(desk: Any, check: str = "all") -> None:
    options = {"address": "up", "token": CANARY}
    desk.do(CreateMount(path=MOUNTS.child("g"), type="guarded", options=options, check=check))


def kept(desk: Any) -> int:
    return len(desk.do(ListMounts()))


@pytest.mark.parametrize("error", [PermissionDenied, Unavailable])
def test_a_store_that_refuses_is_not_mounted(desk: Any, answers: Answers, error: type[WardgateError]) -> None:
    """Its error comes through, nothing is kept, and what was opened is closed."""
    answers(error("the store says no"))
    for check in ("all", "reading"):
        with pytest.raises(error, match="the mount was not made: the store says no") as refused:
            mount(desk, check)
        assert CANARY not in str(refused.value)
    assert (0, [True, True]) == (kept(desk), [backend.closed for backend in desk.probed])


def test_a_store_that_asks_for_patience_is_not_mounted(desk: Any, answers: Answers) -> None:
    """Whatever else it answers, it could not be asked: that is said, and that nothing was made."""
    for error in (RateLimited("the store says slower", retry_after=2.0), OutcomeUnknown("unclear")):
        answers(error)
        with pytest.raises(Unavailable, match=f"the mount was not made: {error.message}"):
            mount(desk)
    assert (0, [True, True]) == (kept(desk), [backend.closed for backend in desk.probed])


def test_each_missing_permission_is_named_with_what_it_is_for(desk: Any, answers: Answers) -> None:
    """Those of what the store does not declare are not missed."""
    lacking = Permission("list", frozenset({"read", "list"}), granted=False)
    answers((WRITE, LABEL, lacking))
    with pytest.raises(PermissionDenied) as refused:
        mount(desk)
    assert "put (for write); list (for list, read); grant them" in refused.value.message
    assert "'check' can be reading" in refused.value.message
    assert "tag" not in refused.value.message
    with pytest.raises(PermissionDenied, match="'check' can be none"):
        mount(desk, "reading")
    assert (0, True) == (kept(desk), all(backend.closed for backend in desk.probed))


@pytest.mark.parametrize(("right", "told"), [(None, True), (False, True), (True, False)])
def test_a_store_that_refuses_everything_may_refuse_the_credential(
    desk: Any,
    answers: Answers,
    right: bool | None,  # noqa: FBT001  # a parameter of the case
    told: bool,  # noqa: FBT001
) -> None:
    """Some stores say of a wrong key only that it may not; what they do not tell counts for neither."""
    answers((WRITE, Permission("get", frozenset({"read"}), granted=right)))
    with pytest.raises(PermissionDenied) as refused:
        mount(desk)
    assert told is ("the credential itself may be wrong" in refused.value.message)


@pytest.mark.parametrize("granted", [True, None])
def test_what_a_store_does_not_tell_is_not_missing(
    desk: Any,
    answers: Answers,
    granted: bool | None,  # noqa: FBT001  # a parameter of the case
) -> None:
    """Only a refusal is."""
    answers((Permission("put", frozenset({"write"}), granted=granted),))
    mount(desk)
    assert 1 == kept(desk)


def test_a_mount_for_reading_needs_no_more(desk: Any, answers: Answers) -> None:
    """A credential that cannot write is enough for it."""
    answers((READ, WRITE))
    mount(desk, "reading")
    assert 1 == kept(desk)


def test_a_store_that_is_not_asked_may_be_away(desk: Any, answers: Answers) -> None:
    """It is opened, closed and kept."""
    answers(Unavailable("away"))
    mount(desk, "none")
    assert (1, True) == (kept(desk), desk.probed[0].closed)


def test_an_unknown_check_is_refused(desk: Any) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidValue, match="check can be all or reading or none"):
        mount(desk, "some")
    assert [] == desk.probed
