"""Keys and tokens: handing out, renewing, expiring, ending."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.services.names import capped
from wardgate.spi.errors import (
    AlreadyExists,
    InvalidValue,
    PermissionDenied,
    SecretNotFound,
    Unauthenticated,
    Unsupported,
)
from wardgate.spi.identity import Principal
from wardgate.spi.operations.approle import Login, Role
from wardgate.spi.operations.keys import KEYS, CreateKey, ListKeys, ReadKey, RevokeKey
from wardgate.spi.operations.policies import POLICIES, Effect, Policy, Rule, WritePolicy
from wardgate.spi.operations.tokens import LookupSelf, RenewSelf, RevokeSelf, TokenIssued
from wardgate.state.lives import Life

SECOND = 10**9
HOUR = 3_600 * SECOND


def create(desk: Any, *policies: str, ttl: int | None = None, name: str = "key", **more: Any) -> TokenIssued:
    issued: TokenIssued = desk.do(CreateKey(key_name=name, policies=policies, ttl=ttl), **more)
    return issued


def approle_token(desk: Any, role: Role) -> TokenIssued:
    async def prepare() -> tuple[str, str]:
        await desk.state.approle.write("root", role)
        secret_id = await desk.state.approle.new_secret_id("root", role.name)
        return desk.state.approle.role_id("root", role.name), secret_id.secret_id

    role_id, secret_id = asyncio.run(prepare())
    issued: TokenIssued = desk.do(Login(role_id=role_id, secret_id=secret_id), None)
    return issued


def test_a_key_works_until_it_is_revoked_in_every_worker(desk: Any, other_worker: Any) -> None:
    """Issued, found, listed, read, ended."""
    issued = create(desk, "administrator")
    principal = issued.info.principal
    assert principal == other_worker.logged_in(issued.token)
    assert (issued.info,) == desk.do(ListKeys())
    assert issued.info == desk.do(ReadKey(path=KEYS.child(principal.id)))
    desk.do(RevokeKey(path=KEYS.child(principal.id)))
    assert desk.logged_in(issued.token) is None
    assert other_worker.logged_in(issued.token) is None
    with pytest.raises(SecretNotFound, match="no such key"):
        desk.do(RevokeKey(path=KEYS.child(principal.id)))


def test_a_token_has_its_prefix_and_is_never_shown(desk: Any) -> None:
    """52 characters, and no repr holds it."""
    issued = create(desk, "default")
    assert issued.token.startswith("wg_")
    assert 3 + 43 + 6 == len(issued.token)
    assert issued.token not in repr(issued)


def test_a_key_expires_to_the_nanosecond(desk: Any, clock: Any) -> None:
    """At use, without any cleaner; an expired one is not listed."""
    issued = create(desk, "default", ttl=SECOND)
    clock.time += SECOND - 1
    assert desk.logged_in(issued.token)
    clock.time += 1
    assert desk.logged_in(issued.token) is None
    assert () == desk.do(ListKeys())


def test_expired_tokens_do_not_pile_up(desk: Any, clock: Any, state: Any) -> None:
    """Issuing deletes expired rows."""
    for _ in range(20):
        create(desk, "default", ttl=SECOND)
        clock.pass_seconds(2)
    with state._database.reading() as connection:
        assert 1 == connection.exec_driver_sql("SELECT count(*) FROM principals").scalar_one()


def test_a_principal_hands_out_only_what_it_carries(desk: Any) -> None:
    """An administrator anything that exists; others their own policies and default."""
    rules = (Rule(Effect.ALLOW, ("read",), ("a/**",)),)
    for name in ("a", "b"):
        desk.do(WritePolicy(path=POLICIES.child(name), policy=Policy(name, rules)))
    giver = Principal("g", "root", "g", "key", ("a",), "x", issued=True)
    assert ("a", "default") == create(desk, "a", "default", who=giver).info.principal.policies
    for beyond in ("b", "administrator", "unknown"):
        with pytest.raises(PermissionDenied):
            create(desk, beyond, who=giver)
    with pytest.raises(InvalidValue, match="there is no policy 'administratr'; did you mean 'administrator'"):
        create(desk, "administratr")


@pytest.mark.parametrize(
    ("name", "ttl"), [("", None), ("x" * 129, None), ("a\nb", None), ("k", 0), ("k", -1), ("k", 2**70)]
)
def test_a_key_that_makes_no_sense_is_refused(desk: Any, name: str, ttl: int | None) -> None:
    """Names and lives."""
    with pytest.raises(InvalidValue):
        create(desk, "default", name=name, ttl=ttl)


def test_only_keys_are_read_and_revoked_as_keys(desk: Any) -> None:
    """The token of a login is no key."""
    issued = approle_token(desk, Role("app"))
    at = KEYS.child(issued.info.principal.id)
    with pytest.raises(SecretNotFound):
        desk.do(ReadKey(path=at))
    with pytest.raises(SecretNotFound):
        desk.do(RevokeKey(path=at))
    assert desk.logged_in(issued.token)


def test_lookup_self_counts_down(desk: Any, clock: Any) -> None:
    """The ttl is what is left now, not what was left when it was remembered."""
    issued = approle_token(desk, Role("app"))
    clock.pass_seconds(600)
    info = desk.do(LookupSelf(), issued.info.principal)
    assert (HOUR - 600 * SECOND, HOUR) == (info.ttl, info.creation_ttl)


def test_a_renewal_never_passes_max_ttl(desk: Any, clock: Any) -> None:
    """Whatever the increment, and however often."""
    issued = approle_token(desk, Role("app", token_ttl=HOUR, token_max_ttl=2 * HOUR))
    who = issued.info.principal
    clock.pass_seconds(1_800)
    assert HOUR == desk.do(RenewSelf(), who).ttl
    clock.pass_seconds(1_800)
    assert HOUR == desk.do(RenewSelf(increment=500 * HOUR), who).ttl
    clock.pass_seconds(3_600)
    with pytest.raises(Unauthenticated):
        desk.do(RenewSelf(), who)
    assert desk.logged_in(issued.token) is None


def test_a_shortened_token_ends_earlier_in_every_worker(desk: Any, other_worker: Any, clock: Any) -> None:
    """A small increment is obeyed, and the epoch moves."""
    issued = approle_token(desk, Role("app"))
    slot = desk.state.epochs.slot("principals", "root")
    before = desk.state.epochs.read(slot)
    desk.do(RenewSelf(increment=SECOND), issued.info.principal)
    assert before != desk.state.epochs.read(slot)
    clock.pass_seconds(2)
    assert other_worker.logged_in(issued.token) is None


def test_a_key_cannot_be_renewed(desk: Any) -> None:
    """Its end was the giver's choice."""
    with pytest.raises(InvalidValue):
        desk.do(RenewSelf(), create(desk, "default", ttl=HOUR).info.principal)


@pytest.mark.parametrize("increment", [0, -1])
def test_an_increment_that_is_none_is_refused(desk: Any, increment: int) -> None:
    """Zero and less."""
    with pytest.raises(InvalidValue):
        desk.do(RenewSelf(increment=increment), approle_token(desk, Role("app")).info.principal)


def test_a_token_ends_itself(desk: Any, other_worker: Any) -> None:
    """At once, in every worker; twice is harmless; a lookup afterwards is refused."""
    issued = create(desk, "default")
    desk.do(RevokeSelf(), issued.info.principal)
    assert other_worker.logged_in(issued.token) is None
    desk.do(RevokeSelf(), issued.info.principal)
    with pytest.raises(Unauthenticated):
        desk.do(LookupSelf(), issued.info.principal)


def test_a_foreign_principal_is_described_but_neither_renewed_nor_revoked(desk: Any, clock: Any) -> None:
    """What another authenticator proved was not issued here."""
    who = Principal("u", "root", "u", "jwt", (), "x", created_at=clock.time, expires_at=clock.time + HOUR)
    assert (HOUR, False) == (desk.do(LookupSelf(), who).ttl, desk.do(LookupSelf(), who).renewable)
    for operation in (RenewSelf(), RevokeSelf()):
        with pytest.raises(Unsupported):
            desk.do(operation, who)


def test_a_chosen_token_works_and_is_taken_once(desk: Any) -> None:
    """``dev --token``: an ordinary principal under a text of the caller's."""
    issue = desk.state.principals.issue
    asyncio.run(issue("root", "dev", ("administrator",), Life(), token="hello"))
    assert desk.logged_in("hello").policies == ("administrator",)
    with pytest.raises(AlreadyExists):
        asyncio.run(issue("root", "dev", ("administrator",), Life(), token="hello"))


@pytest.mark.parametrize(
    ("policies", "expires_at", "asked", "given"),
    [
        (("clerk",), 5_000, None, 4_000),
        (("clerk",), 5_000, 9_000, 4_000),
        (("clerk",), 5_000, 3_000, 3_000),
        (("clerk",), None, None, None),
        (("administrator",), 5_000, None, None),
    ],
)
def test_a_key_does_not_outlive_its_giver(
    policies: tuple[str, ...], expires_at: int | None, asked: int | None, given: int | None
) -> None:
    """A short token cannot give itself a life without end; an administrator's may, as the first one must."""
    giver = Principal("g", "root", "g", "key", policies, "a", expires_at=expires_at, issued=True)
    assert given == capped(asked, giver, 1_000)
