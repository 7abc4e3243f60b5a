"""Secret ids and roles with bounds: networks, uses, chosen ids, what is seen of them, and what their tokens carry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.frontend import Arrival
from wardgate.spi.operations.approle import (
    ROLES,
    ChooseSecretId,
    CreateSecretId,
    DestroySecretId,
    ListSecretIds,
    Login,
    LookupSecretId,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
    TidySecretIds,
    WriteRole,
    WriteRoleId,
)
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path

SECOND = 10**9
HOUR = 3_600 * SECOND
HOME, AWAY = "10.1.2.3", "192.0.2.9"


def at(*segments: str) -> Path:
    return Path((*ROLES.segments, *segments))


def write(desk: Any, role: Role, **more: Any) -> str:
    desk.do(WriteRole(path=at(role.name), role=role), **more)
    role_id: str = desk.do(ReadRoleId(path=at(role.name, "role-id")), **more)
    return role_id


def issue(desk: Any, name: str = "app", **asked: Any) -> SecretIdIssued:
    issued: SecretIdIssued = desk.do(CreateSecretId(path=at(name, "secret-id"), **asked))
    return issued


def choose(desk: Any, secret_id: str, name: str = "app", **more: Any) -> SecretIdIssued:
    operation = ChooseSecretId(path=at(name, "custom-secret-id"), secret_id=secret_id)
    issued: SecretIdIssued = desk.do(operation, **more)
    return issued


def login(desk: Any, role_id: str, secret_id: str, source: str = HOME, namespace: str = "root") -> TokenIssued:
    context = Context(Arrival("r", 0, 1e12, source), Login(role_id=role_id, secret_id=secret_id), None, namespace)
    context.principal = None
    issued: TokenIssued = asyncio.run(desk.handlers[Login](context, context.operation))
    return issued


def lookup(desk: Any, secret_id: str, name: str = "app") -> Any:
    return desk.do(LookupSecretId(path=at(name, "secret-id", "lookup"), secret_id=secret_id))


def test_a_role_keeps_every_bound(desk: Any) -> None:
    """What was written is what is read; a replacement takes bounds away again."""
    role = Role(
        "app", ("default",), token_period=HOUR, token_explicit_max_ttl=9 * HOUR, token_uses=4,
        token_networks=("10.0.0.0/8", "::1"), secret_id_networks=("10.1.0.0/16",), bind_to_source=True,
    )  # fmt: skip
    write(desk, role)
    assert role == desk.do(ReadRole(path=at("app")))
    write(desk, Role("app"))
    assert Role("app") == desk.do(ReadRole(path=at("app")))


def test_a_token_has_the_bounds_of_its_role(desk: Any) -> None:
    """Period, last end, uses and networks."""
    role = Role("app", token_period=HOUR, token_explicit_max_ttl=9 * HOUR, token_uses=4, token_networks=("10.0.0.0/8",))
    role_id = write(desk, role)
    info = login(desk, role_id, issue(desk).secret_id).info
    assert (HOUR, HOUR, 9 * HOUR, 4) == (info.ttl, info.period, info.explicit_max_ttl, info.uses_left)
    assert (True, ("10.0.0.0/8",)) == (info.principal.counted, info.principal.networks)
    assert info.orphan
    strict = write(desk, Role("strict", bind_to_source=True))
    for source in (HOME, f"::ffff:{HOME}"):
        assert (HOME,) == login(desk, strict, issue(desk, "strict").secret_id, source).info.principal.networks


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ({"secret_id_networks": ("10.0.0.0/8",)}, {}),
        ({"token_networks": ("10.0.0.0/8",)}, {}),
        ({}, {"networks": ("10.0.0.0/8",)}),
        ({}, {"token_networks": ("10.0.0.0/8",)}),
        ({"secret_id_networks": ("0.0.0.0/0",)}, {"networks": ("10.1.2.3",)}),
    ],
)
def test_a_login_comes_from_where_it_must(desk: Any, role: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Every network that binds it must hold its address; elsewhere it fails like any other, and uses up nothing."""
    role_id = write(desk, Role("app", secret_id_uses=1, **role))
    secret_id = issue(desk, **asked).secret_id
    for source in (AWAY, "", "no address", "::1", "10.1.2.3.4"):
        with pytest.raises(Unauthenticated, match=r"^invalid role or secret ID$"):
            login(desk, role_id, secret_id, source)
    login(desk, role_id, secret_id, "::ffff:10.1.2.3")


def test_a_role_narrowed_later_narrows_its_secret_ids(desk: Any) -> None:
    """Networks that a secret id was given no longer help where the role no longer allows them."""
    role_id = write(desk, Role("app"))
    secret_id = issue(desk, token_networks=("10.0.0.0/8",)).secret_id
    login(desk, role_id, secret_id)
    write(desk, Role("app", token_networks=("10.1.2.0/24",)))
    with pytest.raises(Unauthenticated):
        login(desk, role_id, secret_id)


@pytest.mark.parametrize(
    "asked",
    [
        {"ttl": 2 * HOUR},
        {"ttl": 0},
        {"ttl": -1},
        {"uses": 6},
        {"uses": 0},
        {"uses": -1},
        {"networks": ("10.0.0.0/7",)},
        {"networks": ("::/0",)},
        {"token_networks": ("11.0.0.0/8",)},
        {"networks": ("nowhere",)},
        {"networks": tuple(f"10.0.0.{number}" for number in range(65))},
        {"metadata": {"": "x"}},
        {"metadata": {"k": "x" * 513}},
    ],
)
def test_a_secret_id_does_not_reach_beyond_its_role(desk: Any, asked: Mapping[str, Any]) -> None:
    """Not in time, uses or networks; metadata is bounded."""
    bounds: dict[str, Any] = {"secret_id_networks": ("10.0.0.0/8",), "token_networks": ("10.0.0.0/8",)}
    write(desk, Role("app", secret_id_ttl=HOUR, secret_id_uses=5, **bounds))
    with pytest.raises(InvalidValue):
        issue(desk, **asked)


@pytest.mark.parametrize(
    "role",
    [
        Role("app", token_networks=("nowhere",)),
        Role("app", secret_id_networks=("10.0.0.0/99",)),
        Role("app", token_period=-1),
        Role("app", token_explicit_max_ttl=2**70),
        Role("app", token_uses=-1),
    ],
)
def test_bounds_that_make_no_sense_are_refused(desk: Any, role: Role) -> None:
    """Lives, counts, networks."""
    with pytest.raises(InvalidValue):
        write(desk, role)


def test_a_secret_id_is_seen_by_itself_and_by_its_accessor(desk: Any, clock: Any) -> None:
    """Its life, its uses as they go, its metadata; and no longer once it has expired."""
    role_id = write(desk, Role("app", secret_id_ttl=HOUR))
    issued = issue(desk, uses=2, ttl=60 * SECOND, networks=("10.0.0.0/8",), metadata={"env": "prod"})
    seen = lookup(desk, issued.secret_id)
    by_accessor = LookupSecretId(path=at("app", "secret-id-accessor", "lookup"), accessor=issued.accessor)
    assert seen == desk.do(by_accessor)
    assert (2, 60 * SECOND) == (seen.uses_left, seen.expires_at - seen.created_at)
    assert (("10.0.0.0/8",), {"env": "prod"}) == (seen.networks, seen.metadata)
    assert (issued.accessor,) == desk.do(ListSecretIds(path=at("app", "secret-id")))
    clock.pass_seconds(5)
    assert {"env": "prod"} == login(desk, role_id, issued.secret_id).info.meta
    assert (1, clock.time) == (lookup(desk, issued.secret_id).uses_left, lookup(desk, issued.secret_id).used_at)
    clock.pass_seconds(60)
    with pytest.raises(SecretNotFound):
        lookup(desk, issued.secret_id)
    assert () == desk.do(ListSecretIds(path=at("app", "secret-id")))
    desk.do(TidySecretIds())


@pytest.mark.parametrize("by", ["secret_id", "accessor"])
def test_a_destroyed_secret_id_proves_nothing(desk: Any, by: str) -> None:
    """Its tokens live on; a second time there is nothing to destroy."""
    role_id = write(desk, Role("app"))
    issued = issue(desk)
    token = login(desk, role_id, issued.secret_id)
    folder = "secret-id" if by == "secret_id" else "secret-id-accessor"
    operation = DestroySecretId(path=at("app", folder, "destroy"), **{by: getattr(issued, by)})
    desk.do(operation)
    with pytest.raises(Unauthenticated):
        login(desk, role_id, issued.secret_id)
    with pytest.raises(SecretNotFound):
        desk.do(operation)
    assert desk.logged_in(token.token)


def test_a_secret_id_is_its_roles_alone(desk: Any) -> None:
    """No role looks up, destroys or lists another's."""
    write(desk, Role("app"))
    write(desk, Role("other"))
    issued = issue(desk)
    for operation in (LookupSecretId, DestroySecretId):
        verb = "lookup" if operation is LookupSecretId else "destroy"
        for folder, by in (("secret-id", "secret_id"), ("secret-id-accessor", "accessor")):
            with pytest.raises(SecretNotFound):
                desk.do(operation(path=at("other", folder, verb), **{by: getattr(issued, by)}))
            with pytest.raises(SecretNotFound):
                desk.do(operation(path=at("app", "x", verb), **{by: getattr(issued, by)}))
        with pytest.raises(InvalidValue):
            desk.do(operation(path=at("app", "secret-id", verb)))
    assert () == desk.do(ListSecretIds(path=at("other", "secret-id")))


def test_a_chosen_secret_id_is_its_roles_alone(desk: Any) -> None:
    """Two roles, and two namespaces, may choose the same and learn nothing of one another; one role not twice."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    ids = {name: write(desk, Role(name)) for name in ("app", "other")}
    theirs = write(desk, Role("app"), namespace=team)
    for name in ids:
        assert "the same" == choose(desk, "the same", name).secret_id
    choose(desk, "the same", namespace=team)
    with pytest.raises(AlreadyExists):
        choose(desk, "the same")
    for name, role_id in ids.items():
        assert name == login(desk, role_id, "the same").info.principal.name
    login(desk, theirs, "the same", namespace=team)
    assert lookup(desk, "the same").accessor
    for secret_id in ("", "x" * 513):
        with pytest.raises(InvalidValue):
            choose(desk, secret_id)


def test_a_role_id_can_be_chosen_and_is_its_namespaces_alone(desk: Any) -> None:
    """Two namespaces may choose the same; a second role of one namespace may not, and keeps what it has."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    write(desk, Role("app"))
    other = write(desk, Role("other"))
    write(desk, Role("app"), namespace=team)
    for namespace in ("root", team):
        desk.do(WriteRoleId(path=at("app", "role-id"), role_id="mine"), namespace=namespace)
        assert "mine" == desk.do(ReadRoleId(path=at("app", "role-id")), namespace=namespace)
    for taken in (
        WriteRoleId(path=at("other", "role-id"), role_id="mine"),
        WriteRole(path=at("other"), role=Role("other"), role_id="mine"),
    ):
        with pytest.raises(AlreadyExists):
            desk.do(taken)
    assert other == desk.do(ReadRoleId(path=at("other", "role-id")))
    login(desk, "mine", issue(desk).secret_id)
    for role_id in ("", "caf\u00e9", "a\nb", "x" * 513):
        with pytest.raises(InvalidValue):
            desk.do(WriteRoleId(path=at("app", "role-id"), role_id=role_id))
    with pytest.raises(SecretNotFound):
        desk.do(WriteRoleId(path=at("none", "role-id"), role_id="x"))
