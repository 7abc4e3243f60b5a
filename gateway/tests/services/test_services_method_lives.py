"""How long tokens live that a login method brings, where it is tuned and where it is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations.approle import Role, WriteRole, roles_of
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace
from wardgate.spi.operations.tokens import (
    MAX_USES,
    CreateOrphan,
    CreateToken,
    LookupSelf,
    RenewSelf,
    RevokeSelf,
    TokenIssued,
)
from wardgate.state.lives import Life
from wardgate.state.principals import Origin
from wardgate.state.tokens import new_id

from tests.support.login_methods import disable, enable, ids, login, tune, write

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
    told = []
    for operation in write_of:
        desk.do(operation)
        told.append(bool(desk.warnings))
    assert [False, False, True] == told
    of_first = WriteRole(path=roles_of("approle").child("app"), role=Role("app", token_max_ttl=2 * DAY))
    desk.do(of_first)
    assert () == desk.warnings


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


def test_what_a_method_of_another_type_brings_ends_with_it(desk: Any, other_worker: Any) -> None:
    """A token without a role is looked up, bounded and renewed like any, and its method's end is its own."""
    state = desk.state
    method = MethodInfo(new_id(), "corp", "oidc")
    asyncio.run(state.methods.enable("root", method))
    life = Life(ttl=HOUR, max_ttl=DAY, renewable=True)
    issued = asyncio.run(state.principals.issue("root", "ann", ("a",), life, origin=Origin(kind="oidc", login=method)))
    who = state.principals.authenticated(issued.token, "root")
    info = desk.do(LookupSelf(), who=who)
    assert (HOUR, DAY, "oidc", "corp") == (info.ttl, info.max_ttl, info.kind, info.login)
    assert {"login": "corp"} == who.attributes
    assert HOUR == desk.do(RenewSelf(), who=who).ttl
    child = desk.do(CreateToken(), who=who)

    disable(other_worker, "corp")

    assert [None, None] == [desk.logged_in(each.token) for each in (issued, child)]
    with pytest.raises(SecretNotFound):
        asyncio.run(state.principals.issue("root", "ann", (), life, origin=Origin(kind="oidc", login=method)))


def test_a_method_of_the_same_name_does_not_end_anothers_tokens(desk: Any) -> None:
    """It is the id that counts, within its namespace."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    methods = {namespace: MethodInfo(new_id(), "corp", "oidc") for namespace in ("root", team)}
    tokens = {}
    for namespace, method in methods.items():
        asyncio.run(desk.state.methods.enable(namespace, method))
        origin = Origin(kind="oidc", login=method)
        issuing = desk.state.principals.issue(namespace, "ann", ("a",), Life(ttl=HOUR), origin=origin)
        tokens[namespace] = asyncio.run(issuing).token
    disable(desk, "corp")
    assert desk.logged_in(tokens["root"]) is None
    assert desk.logged_in(tokens[team], team)


def test_a_key_of_whoever_proved_itself_elsewhere_is_the_gateways_own(desk: Any) -> None:
    """What conditions read of a key, its maker's method, does not say who issued it."""
    origin = Origin(method="jwt", attributes={"sub": "ann"})
    issued = asyncio.run(desk.state.principals.issue("root", "ann", (), Life(ttl=HOUR), origin=origin))
    who = desk.state.principals.authenticated(issued.token, "root")
    assert ("jwt", "key") == (who.method, desk.do(LookupSelf(), who=who).kind)
    desk.do(RevokeSelf(), who=who)
    assert desk.logged_in(issued.token) is None


@pytest.mark.parametrize("field", ["token_uses", "secret_id_uses"])
def test_uses_have_one_bound_wherever_they_are_given(desk: Any, field: str) -> None:
    """A role takes as many as any front-end lets through."""
    most: dict[str, Any] = {field: MAX_USES}
    more: dict[str, Any] = {field: MAX_USES + 1}
    write(desk, Role("app", **most), "approle")
    with pytest.raises(InvalidValue):
        write(desk, Role("app", **more), "approle")
