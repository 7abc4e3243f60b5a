"""Login methods that are enabled, tuned and disabled, and what is at one and not at another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.operations.approle import (
    CreateSecretId,
    DeleteRole,
    ListRoles,
    ListSecretIds,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    TidySecretIds,
    WriteRole,
    WriteRoleId,
    roles_of,
)
from wardgate.spi.operations.methods import (
    METHODS,
    DisableMethod,
    EnableMethod,
    ListMethods,
    MethodInfo,
    ReadMethod,
    TuneMethod,
)
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace, DeleteNamespace
from wardgate.spi.operations.tokens import CreateOrphan, CreateToken, TokenIssued
from wardgate.spi.path import Path
from wardgate.state import approle, auth_methods
from wardgate.state.codes import Codes

SECOND = 10**9
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def enable(desk: Any, name: str = "ci", within: str = "root", **more: Any) -> MethodInfo:
    made: MethodInfo = desk.do(EnableMethod(path=METHODS.child(name), type="approle", **more), namespace=within)
    return made


def tune(desk: Any, name: str, **more: Any) -> MethodInfo:
    tuned: MethodInfo = desk.do(TuneMethod(path=METHODS.child(name), **more))
    return tuned


def disable(desk: Any, name: str) -> None:
    desk.do(DisableMethod(path=METHODS.child(name)))


def names(desk: Any, namespace: str = "root") -> list[str]:
    return [method.name for method in desk.do(ListMethods(), namespace=namespace)]


def write(desk: Any, role: Role, method: str = "ci", within: str = "root", role_id: str | None = None) -> None:
    path = roles_of(method).child(role.name)
    desk.do(WriteRole(path=path, role=role, role_id=role_id), namespace=within)


def ids(desk: Any, method: str = "ci", name: str = "app", within: str = "root") -> tuple[str, str]:
    at = roles_of(method).child(name)
    role_id = desk.do(ReadRoleId(path=at.child("role-id")), namespace=within)
    return role_id, desk.do(CreateSecretId(path=at.child("secret-id")), namespace=within).secret_id


def login(desk: Any, given: tuple[str, str], method: str = "ci", within: str = "root") -> TokenIssued:
    operation = Login(path=Path(("auth", method, "login")), role_id=given[0], secret_id=given[1])
    issued: TokenIssued = desk.do(operation, None, within)
    return issued


def test_a_method_is_enabled_tuned_and_disabled_in_every_worker(desk: Any, other_worker: Any, clock: Any) -> None:
    """Its life, as each worker sees it; a namespace begins with two."""
    assert ["approle", "token"] == names(desk)
    made = enable(desk, description="d", default_lease_ttl=HOUR)
    assert MethodInfo(made.id, "ci", "approle", "d", HOUR, 0, clock.now()) == made
    assert ["approle", "ci", "token"] == names(other_worker)
    tuned = tune(desk, "ci", max_lease_ttl=2 * HOUR)
    assert ("d", HOUR, 2 * HOUR) == (tuned.description, tuned.default_lease_ttl, tuned.max_lease_ttl)
    assert tuned == other_worker.do(ReadMethod(path=METHODS.child("ci")))
    disable(other_worker, "ci")
    for operation in (ReadMethod, TuneMethod, DisableMethod):
        with pytest.raises(SecretNotFound):
            desk.do(operation(path=METHODS.child("ci")))


@pytest.mark.parametrize("name", ["token", "Token", "keys", "KEYS", "approle", "AppRole", "CI", "a b", "caf\u00e9", ""])
def test_a_name_that_is_taken_reserved_or_not_plain_is_refused(desk: Any, name: str) -> None:
    """In any spelling of its case."""
    enable(desk)
    with pytest.raises((AlreadyExists, InvalidValue)):
        desk.do(EnableMethod(path=Path((*METHODS.segments, name)), type="approle"))
    assert ["approle", "ci", "token"] == names(desk)


@pytest.mark.parametrize(
    "more",
    [
        {"description": "a\nb"},
        {"description": "x" * 1_025},
        {"default_lease_ttl": -1},
        {"max_lease_ttl": 2**63},
        {"default_lease_ttl": 2 * HOUR, "max_lease_ttl": HOUR},
    ],
)
def test_what_makes_no_sense_is_neither_enabled_nor_tuned(desk: Any, more: dict[str, Any]) -> None:
    """And nothing of it is kept."""
    with pytest.raises(InvalidValue):
        enable(desk, **more)
    with pytest.raises(InvalidValue):
        tune(desk, "approle", **more)
    assert ["approle", "token"] == names(desk)
    assert 0 == desk.do(ReadMethod(path=METHODS.child("approle"))).default_lease_ttl


def test_only_approle_is_enabled_and_only_below_the_folder(desk: Any) -> None:
    """Neither a second token method, nor a type that is not there, nor a path of two names."""
    for kind in ("token", "kubernetes", "approl"):
        with pytest.raises(InvalidValue):
            desk.do(EnableMethod(path=METHODS.child("ci"), type=kind))
    for path in (METHODS, METHODS.child("a").child("b")):
        with pytest.raises(SecretNotFound):
            desk.do(EnableMethod(path=path, type="approle"))


def test_the_method_of_tokens_cannot_be_disabled(desk: Any) -> None:
    """Every token is used there."""
    with pytest.raises(InvalidValue):
        disable(desk, "token")


def test_methods_are_bounded_in_number(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last place is that of a disabled one."""
    monkeypatch.setattr(auth_methods, "MAX_METHODS", 2)
    disable(desk, "approle")
    enable(desk, "a")
    with pytest.raises(InvalidValue, match="at most 2"):
        enable(desk, "b")
    enable(desk, "approle")


def test_a_role_is_its_methods_alone(desk: Any) -> None:
    """Its name and role id may be another's at another method; what proves one proves nothing elsewhere."""
    enable(desk)
    enable(desk, "cd")
    for method in ("approle", "ci", "cd"):
        write(desk, Role("app"), method, role_id="the-same")
    proofs = {method: ids(desk, method) for method in ("approle", "ci", "cd")}
    assert 1 == len({role_id for role_id, _ in proofs.values()})
    for method in proofs:
        for other, proof in proofs.items():
            if method == other:
                assert method == login(desk, proof, method).info.login
            else:
                with pytest.raises(Unauthenticated):
                    login(desk, proof, method)
    desk.do(DeleteRole(path=roles_of("cd").child("app")))
    assert [("app",), ("app",), ()] == [desk.do(ListRoles(path=roles_of(each))) for each in proofs]


def test_a_chosen_role_id_is_taken_within_its_method_alone(desk: Any) -> None:
    """Nobody learns from a refusal what stands at another."""
    enable(desk)
    write(desk, Role("app"), "approle", role_id="mine")
    write(desk, Role("app"))
    write(desk, Role("other"))
    desk.do(WriteRoleId(path=roles_of("ci").child("app").child("role-id"), role_id="mine"))
    with pytest.raises(AlreadyExists):
        desk.do(WriteRoleId(path=roles_of("ci").child("other").child("role-id"), role_id="mine"))


def test_what_a_login_brings_says_where_it_was(desk: Any) -> None:
    """For conditions, which else could not tell two roles of one name apart."""
    enable(desk)
    for method in ("approle", "ci"):
        write(desk, Role("app"), method)
        issued = login(desk, ids(desk, method), method)
        assert {"role": "app", "login": method} == issued.info.principal.attributes
        assert ("approle", method) == (issued.info.kind, desk.state.principals.lookup(issued.token, "root").login)


def test_a_namespaces_methods_are_its_own(desk: Any) -> None:
    """Made in one, unknown in another, and gone with it."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    enable(desk, within=team)
    write(desk, Role("app"), within=team)
    proof = ids(desk, within=team)
    assert login(desk, proof, within=team)
    enable(desk)
    with pytest.raises(Unauthenticated):
        login(desk, proof)
    disable(desk, "ci")
    assert (["approle", "token"], ["approle", "ci", "token"]) == (names(desk), names(desk, team))
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    again = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    assert ["approle", "token"] == names(desk, again)
    with pytest.raises(Unauthenticated):
        login(desk, proof, within=again)


@pytest.mark.parametrize("name", ["ci", "approle"])
def test_disabling_ends_roles_secret_ids_tokens_and_what_they_made(desk: Any, other_worker: Any, name: str) -> None:
    """In every worker at once; enabled again it is a new method, and what was stays dead."""
    if name == "ci":
        enable(desk)
        write(desk, Role("app"), "approle")
        kept = login(desk, ids(desk, "approle"), "approle")
    else:
        enable(desk, "cd")
        write(desk, Role("app"), "cd")
        kept = login(desk, ids(desk, "cd"), "cd")
    write(desk, Role("app"), name, role_id="chosen")
    proof = ids(desk, name)
    issued = login(desk, proof, name)
    child = desk.do(CreateToken(), who=desk.logged_in(issued.token))
    assert other_worker.logged_in(issued.token)
    before = other_worker.do(ReadMethod(path=METHODS.child(name))).id

    disable(desk, name)

    for worker in (desk, other_worker):
        assert [None, None] == [worker.logged_in(each.token) for each in (issued, child)]
        assert worker.logged_in(kept.token)
        with pytest.raises(Unauthenticated):
            login(worker, proof, name)
    assert before != enable(desk, name).id
    assert () == other_worker.do(ListRoles(path=roles_of(name)))
    with pytest.raises(Unauthenticated):
        login(desk, proof, name)
    write(desk, Role("app"), name, role_id="chosen")
    with pytest.raises(Unauthenticated):
        login(desk, proof, name)
    assert [None, None] == [desk.logged_in(each.token) for each in (issued, child)]


@pytest.mark.parametrize("method", ["nowhere", "token"])
def test_nothing_is_done_at_a_method_that_has_no_roles(desk: Any, method: str) -> None:
    """It is not there, or is that of tokens: no role is written, listed, read or tidied."""
    at = roles_of(method).child("app")
    for operation in (
        WriteRole(path=at, role=Role("app")),
        ListRoles(path=roles_of(method)),
        ReadRole(path=at),
        DeleteRole(path=at),
        ReadRoleId(path=at.child("role-id")),
        CreateSecretId(path=at.child("secret-id")),
        ListSecretIds(path=at.child("secret-id")),
        TidySecretIds(path=Path(("auth", method, "tidy", "secret-id"))),
    ):
        with pytest.raises(SecretNotFound):
            desk.do(operation)


def test_no_role_comes_after_its_methods_end(desk: Any, other_worker: Any) -> None:
    """Whoever looked the method up before it was disabled writes nothing that a new one of its name would have."""
    enable(desk)
    stale = desk.state.methods.at("root", "ci")
    write(desk, Role("app"))
    disable(other_worker, "ci")
    enable(other_worker)
    desk.state.approle._methods = _Stale(desk.state.methods, stale)
    with pytest.raises(SecretNotFound):
        asyncio.run(desk.state.approle.write("root", Role("late"), method="ci"))


class _Stale:
    """The methods as a worker saw them a moment ago."""

    def __init__(self, methods: Any, seen: MethodInfo) -> None:
        self.at = lambda _namespace, _name: seen
        self.check = methods.check
        self.key = methods.key


def test_a_login_at_an_unknown_method_does_the_work_of_any_other(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many statements, each finding a row, as many codes, and the same words."""
    enable(desk)
    write(desk, Role("app"))
    good = ids(desk)
    calls: list[str] = []
    ask, sign = approle._one, Codes.signed

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            calls.append(name if result else f"nothing by {name}")
            return result

        return call

    monkeypatch.setattr(approle, "_one", counted("one", ask))
    monkeypatch.setattr(Codes, "signed", counted("signed", sign))
    seen = []
    for method, given in (
        ("ci", (good[0], "unknown")),
        ("ci", ("unknown", good[1])),
        ("approle", good),
        ("nowhere", good),
        ("token", good),
        ("keys", good),
    ):
        calls.clear()
        with pytest.raises(Unauthenticated) as refused:
            login(desk, given, method)
        seen.append((str(refused.value), *calls))
    assert {("invalid role or secret ID", "one", "one", "signed", "signed")} == set(seen)


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
    from wardgate.state.lives import Life  # noqa: PLC0415  # of this helper alone

    token: str = (await desk.state.principals.issue("root", "a", ("administrator",), Life())).token
    return token


def _lives(issued: TokenIssued) -> tuple[int, int]:
    return issued.info.ttl, issued.info.max_ttl
