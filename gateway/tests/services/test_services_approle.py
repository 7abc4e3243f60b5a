"""AppRole: roles, secret ids, logins that tell nothing, counted uses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from wardgate.spi.errors import InvalidValue, PermissionDenied, SecretNotFound, Unauthenticated, WardgateError
from wardgate.spi.identity import Principal
from wardgate.spi.operations.approle import (
    ROLES,
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path

SECOND = 10**9
HOUR = 3_600 * SECOND


def at(*segments: str) -> Path:
    return Path((*ROLES.segments, *segments))


def write(desk: Any, role: Role, **more: Any) -> None:
    desk.do(WriteRole(path=at(role.name), role=role), **more)


def ids(desk: Any, name: str = "app", namespace: str = "root") -> tuple[str, SecretIdIssued]:
    role_id: str = desk.do(ReadRoleId(path=at(name, "role-id")), namespace=namespace)
    secret_id: SecretIdIssued = desk.do(CreateSecretId(path=at(name, "secret-id")), namespace=namespace)
    return role_id, secret_id


def login(desk: Any, role_id: str, secret_id: str, namespace: str = "root") -> TokenIssued:
    issued: TokenIssued = desk.do(Login(role_id=role_id, secret_id=secret_id), None, namespace)
    return issued


def test_a_role_is_kept_listed_replaced_and_deleted(desk: Any) -> None:
    """The life of a role; its role id outlives a replacement."""
    role = Role("app", ("administrator",), token_ttl=HOUR, token_max_ttl=2 * HOUR, secret_id_ttl=HOUR, secret_id_uses=5)
    write(desk, role)
    assert role == desk.do(ReadRole(path=at("app")))
    role_id = desk.do(ReadRoleId(path=at("app", "role-id")))
    write(desk, Role("app"))
    assert Role("app") == desk.do(ReadRole(path=at("app")))
    assert role_id == desk.do(ReadRoleId(path=at("app", "role-id")))
    assert ("app",) == desk.do(ListRoles())
    desk.do(DeleteRole(path=at("app")))
    assert () == desk.do(ListRoles())
    with pytest.raises(SecretNotFound):
        desk.do(DeleteRole(path=at("app")))


def test_a_login_brings_a_token_with_the_roles_policies_and_lives(desk: Any, clock: Any) -> None:
    """Without settings: one hour, renewable up to a day."""
    write(desk, Role("app", ("administrator",)))
    role_id, secret_id = ids(desk)
    issued = login(desk, role_id, secret_id.secret_id)
    who = desk.logged_in(issued.token)
    assert issued.info.principal == who
    assert ("administrator",) == who.policies
    assert ("approle", "app", {"role": "app", "login": "approle"}) == (who.method, who.name, who.attributes)
    assert (HOUR, 24 * HOUR, True) == (issued.info.ttl, issued.info.max_ttl, issued.info.renewable)
    assert issued.token not in repr(issued)
    assert secret_id.secret_id not in repr(secret_id)


def test_each_failing_login_answers_alike(desk: Any, clock: Any) -> None:
    """Unknown role, wrong secret id, another role's secret id, none, expired, used up, another namespace's."""
    write(desk, Role("app", secret_id_uses=1))
    write(desk, Role("other"))
    write(desk, Role("short", secret_id_ttl=SECOND))
    role_id, good = ids(desk)
    used = ids(desk)[1].secret_id
    login(desk, role_id, used)
    short_role, short = ids(desk, "short")
    clock.pass_seconds(2)
    other_role = desk.do(ReadRoleId(path=at("other", "role-id")))
    messages = set()
    for given in (
        ("unknown", good.secret_id),
        ("", ""),
        (role_id, "unknown"),
        (role_id, ""),
        (other_role, good.secret_id),
        (role_id, used),
        (short_role, short.secret_id),
        (role_id, good.secret_id, "nowhere"),
        (role_id, good.secret_id, ""),
        ("x\udc80", "x\udc80"),
    ):
        with pytest.raises(Unauthenticated) as refused:
            login(desk, *given)
        messages.add(str(refused.value))
    assert {"invalid role or secret ID"} == messages
    login(desk, role_id, good.secret_id)


def test_a_failing_login_does_the_same_work_whatever_is_wrong(desk: Any, calls: list[str]) -> None:
    """As many statements, each finding a row, and as many codes computed: time tells nothing of what was wrong."""
    write(desk, Role("app"))
    write(desk, Role("other"))
    role_id, good = ids(desk)
    other_role = desk.do(ReadRoleId(path=at("other", "role-id")))
    seen = []
    for given in (
        ("unknown", "unknown"),
        (role_id, "unknown"),
        ("unknown", good.secret_id),
        (other_role, good.secret_id),
    ):
        calls.clear()
        with pytest.raises(Unauthenticated):
            login(desk, *given)
        seen.append(tuple(calls))
    assert {("one", "one", "signed", "signed")} == set(seen)


def test_the_decoys_log_nobody_in(desk: Any) -> None:
    """The rows that are read where nothing is found belong to no namespace, and no role is named after them."""
    for namespace in ("root", "", "decoy"):
        with pytest.raises(Unauthenticated):
            login(desk, "decoy", "decoy", namespace)
    assert () == desk.do(ListRoles())


def test_a_counted_secret_id_is_used_up_exactly(desk: Any, other_worker: Any) -> None:
    """Twenty logins at once in two workers with five uses: five tokens."""
    write(desk, Role("app", secret_id_uses=5))
    role_id, secret_id = ids(desk)

    async def attempt(worker: Any) -> bool:
        try:
            await worker.state.approle.login("root", role_id, secret_id.secret_id)
        except Unauthenticated:
            return False
        return True

    async def run() -> list[bool]:
        return await asyncio.gather(*(attempt(worker) for _ in range(10) for worker in (desk, other_worker)))

    assert 5 == sum(asyncio.run(run()))


def test_a_role_that_binds_no_secret_id_is_proved_by_its_role_id_alone(desk: Any) -> None:
    """Whatever stands as secret id is not looked at; none is used up."""
    write(desk, Role("open", bind_secret_id=False, secret_id_uses=1))
    role_id, secret_id = ids(desk, "open")
    for given in ("", "anything", secret_id.secret_id):
        login(desk, role_id, given)


def test_deleting_a_role_ends_its_secret_ids_and_tokens(desk: Any, other_worker: Any) -> None:
    """Also for a new role of the same name, and in every worker."""
    write(desk, Role("app"))
    role_id, secret_id = ids(desk)
    issued = login(desk, role_id, secret_id.secret_id)
    assert other_worker.logged_in(issued.token)
    desk.do(DeleteRole(path=at("app")))
    write(desk, Role("app"))
    assert desk.logged_in(issued.token) is None
    assert other_worker.logged_in(issued.token) is None
    for role in (role_id, desk.do(ReadRoleId(path=at("app", "role-id")))):
        with pytest.raises(Unauthenticated):
            login(desk, role, secret_id.secret_id)


def test_a_role_hands_out_only_what_its_writer_carries(desk: Any) -> None:
    """Nobody becomes administrator by writing a role; unknown policies are refused with the nearest name."""
    manager = Principal("m", "root", "m", "key", ("default",), "a")
    with pytest.raises(PermissionDenied):
        write(desk, Role("app", ("administrator",)), who=manager)
    write(desk, Role("app", ("default",)), who=manager)
    with pytest.raises(InvalidValue, match="did you mean 'administrator'"):
        write(desk, Role("app", ("administrater",)))


def test_a_role_reaches_no_further_than_its_writer(desk: Any) -> None:
    """Its tokens come from its writer's networks, if they are bound to any; one whose uses are counted writes none."""
    manager = Principal("m", "root", "m", "key", ("default",), "a", networks=("127.0.0.0/8",))
    write(desk, Role("app", ("default",)), who=manager)
    role_id, secret_id = ids(desk)
    assert ("127.0.0.0/8",) == login(desk, role_id, secret_id.secret_id).info.principal.networks
    write(desk, Role("app", ("default",), token_networks=("127.0.0.1/32",)), who=manager)
    for refused in (
        replace(manager, counted=True),
        replace(manager, networks=("127.0.0.2",)),
    ):
        with pytest.raises(InvalidValue):
            write(desk, Role("app", ("default",), token_networks=("127.0.0.1/32",)), who=refused)


@pytest.mark.parametrize(
    "role",
    [
        Role("app", token_ttl=-1),
        Role("app", token_ttl=2 * HOUR, token_max_ttl=HOUR),
        Role("app", token_ttl=25 * HOUR),
        Role("app", secret_id_ttl=2**70),
        Role("app", secret_id_uses=-1),
        Role("app", secret_id_uses=2**70),
        Role("app", ("default",) * 65),
        Role(""),
        Role("a b"),
        Role("caf\u00e9"),
        Role("a" * 129),
    ],
)
def test_a_role_that_makes_no_sense_is_refused(desk: Any, role: Role) -> None:
    """Lives, counts, names."""
    with pytest.raises(WardgateError):
        write(desk, role)


def test_a_role_is_written_only_at_its_own_path(desk: Any) -> None:
    """The path was authorized, not the body."""
    with pytest.raises(InvalidValue):
        desk.do(WriteRole(path=at("harmless"), role=Role("app")))


@pytest.mark.parametrize("segments", [(), ("app", "x"), ("app", "secret-id", "x")])
def test_other_shapes_of_path_are_not_found(desk: Any, segments: tuple[str, ...]) -> None:
    """No handler guesses."""
    for operation in (ReadRole, DeleteRole, CreateSecretId, ReadRoleId):
        with pytest.raises(SecretNotFound):
            desk.do(operation(path=at(*segments)))


def test_roles_of_one_name_in_two_namespaces_are_strangers(desk: Any) -> None:
    """A secret id proves nothing in another namespace."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    for namespace in ("root", team):
        write(desk, Role("app"), namespace=namespace)
    mine, theirs = ids(desk), ids(desk, namespace=team)
    for role_id, secret_id, namespace in (
        (mine[0], theirs[1], "root"),
        (theirs[0], mine[1], team),
        (mine[0], mine[1], team),
        (theirs[0], theirs[1], "root"),
    ):
        with pytest.raises(Unauthenticated):
            login(desk, role_id, secret_id.secret_id, namespace)
    login(desk, theirs[0], theirs[1].secret_id, team)
