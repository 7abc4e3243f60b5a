"""Login methods that are enabled, tuned and disabled, and what is at one and not at another."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.operations.approle import (
    CreateSecretId,
    DeleteRole,
    ListRoles,
    ListSecretIds,
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
from wardgate.spi.operations.tokens import CreateToken
from wardgate.spi.path import Path
from wardgate.state import auth_methods

from tests.support.login_methods import disable, enable, ids, login, tune, write

SECOND = 10**9
HOUR = 3_600 * SECOND


def names(desk: Any, namespace: str = "root") -> list[str]:
    return [method.name for method in desk.do(ListMethods(), namespace=namespace)]


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
        {"max_lease_ttl": 500_000_000},
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
        with pytest.raises(InvalidValue, match=f"unknown type of login methods '{kind}'"):
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


def test_a_login_under_way_when_its_method_ends_brings_nothing(
    desk: Any, other_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was proved is looked at again in the transaction that keeps the token."""
    enable(desk)
    write(desk, Role("app"))
    proof = ids(desk)
    draft = desk.state.approle._draft

    def late(*proved: Any) -> Any:
        ending = threading.Thread(target=disable, args=(other_worker, "ci"))
        ending.start()
        ending.join()
        return draft(*proved)

    monkeypatch.setattr(desk.state.approle, "_draft", late)
    with pytest.raises(Unauthenticated):
        login(desk, proof)
    assert () == desk.state.principals.accessors("root")


class _Stale:
    """The methods as a worker saw them a moment ago."""

    def __init__(self, methods: Any, seen: MethodInfo) -> None:
        self.at = lambda _namespace, _name: seen
        self.check = methods.check
        self.key = methods.key


def test_a_login_at_an_unknown_method_does_the_work_of_any_other(desk: Any, calls: list[str]) -> None:
    """As many statements, each finding a row, as many codes, and the same words."""
    enable(desk)
    write(desk, Role("app"))
    good = ids(desk)
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
