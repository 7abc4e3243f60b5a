"""How long tokens live that a login method brings, where it is tuned and where it is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.spi.operations.approle import Role, WriteRole, roles_of
from wardgate.spi.operations.tokens import CreateOrphan, CreateToken, TokenIssued
from wardgate.state.lives import Life

from tests.support.login_methods import enable, ids, login, tune, write

SECOND = 10**9
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
LIVES = (0, HOUR, HOUR + SECOND)


@pytest.mark.parametrize(
    ("method", "role", "life"),
    [
        ({}, {}, (HOUR, DAY, 0)),
        ({"default_lease_ttl": 2 * HOUR}, {}, (2 * HOUR, DAY, 0)),
        ({"default_lease_ttl": 2 * DAY}, {}, (2 * DAY, 2 * DAY, 0)),
        ({"default_lease_ttl": 2 * HOUR}, {"token_ttl": 5 * HOUR}, (5 * HOUR, DAY, 0)),
        ({"max_lease_ttl": SECOND}, {}, (SECOND, SECOND, 0)),
        ({"max_lease_ttl": SECOND}, {"token_ttl": HOUR, "token_max_ttl": DAY}, (SECOND, SECOND, HOUR)),
        ({"max_lease_ttl": 2 * DAY}, {"token_ttl": HOUR}, (HOUR, 2 * DAY, 0)),
        ({"max_lease_ttl": 2 * DAY}, {"token_max_ttl": DAY}, (HOUR, DAY, 0)),
        ({"max_lease_ttl": 2 * DAY}, {"token_ttl": 3 * DAY}, (2 * DAY, 2 * DAY, 3 * DAY)),
        ({"max_lease_ttl": SECOND}, {"token_explicit_max_ttl": HOUR}, (SECOND, SECOND, 0)),
    ],
)
def test_a_method_bounds_its_logins(
    desk: Any, method: dict[str, Any], role: dict[str, Any], life: tuple[int, int, int]
) -> None:
    """The default where the role says nothing, the cap whatever it says, and what was cut is told."""
    enable(desk, **method)
    write(desk, Role("app", **role))
    issued = login(desk, ids(desk))
    assert life == (issued.info.ttl, issued.info.max_ttl, issued.cut)


def test_whoever_writes_a_role_is_told_that_its_method_cuts_it(desk: Any) -> None:
    """Where it says more than the method gives, and only there."""
    enable(desk, max_lease_ttl=HOUR)
    write_of = [WriteRole(path=roles_of("ci").child("app"), role=Role("app", token_max_ttl=ttl)) for ttl in LIVES]
    assert [False, False, True] == [desk.do(operation) for operation in write_of]
    of_first = WriteRole(path=roles_of("approle").child("app"), role=Role("app", token_max_ttl=2 * DAY))
    assert desk.do(of_first) is False


def test_a_method_bounds_a_roles_period(desk: Any) -> None:
    """Which no bound of the role's does."""
    enable(desk, max_lease_ttl=HOUR)
    write(desk, Role("app", token_period=DAY))
    issued = login(desk, ids(desk))
    assert (HOUR, HOUR, DAY) == (issued.info.ttl, issued.info.period, issued.cut)


def test_what_is_tuned_holds_for_the_next_login_and_for_no_token_there_is(desk: Any, other_worker: Any) -> None:
    """In every worker at once."""
    write(desk, Role("app"), "approle")
    old = login(desk, ids(desk, "approle"), "approle")
    tune(other_worker, "approle", default_lease_ttl=SECOND, max_lease_ttl=2 * SECOND)
    new = login(desk, ids(desk, "approle"), "approle").info
    assert (SECOND, 2 * SECOND) == (new.ttl, new.max_ttl)
    assert DAY == desk.state.principals.lookup(old.token, "root").max_ttl
    tune(desk, "approle", default_lease_ttl=0, max_lease_ttl=0)
    again = login(desk, ids(desk, "approle"), "approle").info
    assert (HOUR, DAY) == (again.ttl, again.max_ttl)


@pytest.mark.parametrize("kind", [CreateToken, CreateOrphan])
def test_the_method_of_tokens_bounds_what_tokens_make(desk: Any, kind: type[CreateToken]) -> None:
    """Default, cap and period; and no longer than the gateway's own where it is not tuned."""
    who = desk.logged_in(asyncio.run(_administrators(desk)))
    month = 32 * DAY
    assert (month, month) == _lives(desk.do(kind(), who=who))
    assert month == desk.do(kind(period=2 * month), who=who).info.period
    tune(desk, "token", default_lease_ttl=HOUR, max_lease_ttl=2 * HOUR)
    assert (HOUR, 2 * HOUR) == _lives(desk.do(kind(), who=who))
    issued = desk.do(kind(ttl=DAY), who=who)
    assert (2 * HOUR, DAY) == (issued.info.ttl, issued.cut)
    issued = desk.do(kind(period=DAY), who=who)
    assert (2 * HOUR, DAY) == (issued.info.period, issued.cut)
    tune(desk, "token", max_lease_ttl=2 * month)
    assert 2 * month == desk.do(kind(ttl=2 * month), who=who).info.ttl


async def _administrators(desk: Any) -> str:
    token: str = (await desk.state.principals.issue("root", "a", ("administrator",), Life())).token
    return token


def _lives(issued: TokenIssued) -> tuple[int, int]:
    return issued.info.ttl, issued.info.max_ttl
