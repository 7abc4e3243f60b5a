"""Tokens that tokens make: what they carry, how long they live, and with whom they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.services.tokens import MAX_TTL
from wardgate.spi.errors import InvalidValue, PermissionDenied, SecretNotFound, Unauthenticated, Unsupported
from wardgate.spi.identity import KNOWN_AS, KNOWN_ID, KNOWN_POLICIES, Principal
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.policies import POLICIES, Effect, Policy, Rule, WritePolicy
from wardgate.spi.operations.tokens import (
    CreateOrphan,
    CreateToken,
    ListAccessors,
    LookupAccessor,
    LookupSelf,
    LookupToken,
    RenewAccessor,
    RenewSelf,
    RenewToken,
    RevokeAccessor,
    RevokeOrphan,
    RevokeSelf,
    RevokeToken,
    TidyTokens,
    TokenIssued,
)
from wardgate.state import trees
from wardgate.state.lives import NEVER, Life, renewed_until
from wardgate.state.principals import Origin

SECOND = 10**9
HOUR = 3_600 * SECOND
READ = (Rule(Effect.ALLOW, ("read",), ("a/**",)),)
DENY = (Rule(Effect.DENY, ("*",), ("a/private/**",)),)


def policies(desk: Any) -> None:
    for name, rules in (("a", READ), ("b", READ), ("guard", DENY)):
        desk.do(WritePolicy(path=POLICIES.child(name), policy=Policy(name, rules)))


def key(desk: Any, *carried: str, ttl: int | None = None, **origin: Any) -> Principal:
    issue = desk.state.principals.issue("root", "giver", carried, Life(ttl=ttl), origin=Origin(**origin))
    issued: TokenIssued = asyncio.run(issue)
    return issued.info.principal


def create(desk: Any, who: Principal, kind: type[CreateToken] = CreateToken, **asked: Any) -> TokenIssued:
    issued: TokenIssued = desk.do(kind(**asked), who)
    return issued


def test_a_child_has_its_parents_policies_unless_fewer_are_asked_for(desk: Any) -> None:
    """None more, in any spelling; an administrator's may carry any there is."""
    policies(desk)
    parent = key(desk, "a", "b")
    assert ("a", "b") == create(desk, parent).info.principal.policies
    assert ("a",) == create(desk, parent, policies=("a",)).info.principal.policies
    for beyond in ("administrator", "guard", "A", "root", ""):
        with pytest.raises(PermissionDenied):
            create(desk, parent, policies=("a", beyond))
    administrator = key(desk, "administrator")
    assert ("guard",) == create(desk, administrator, policies=("guard",)).info.principal.policies
    with pytest.raises(InvalidValue):
        create(desk, administrator, policies=("unknown",))


def test_what_denies_the_parent_denies_the_child(desk: Any) -> None:
    """A policy that denies cannot be left out: not in a token, a key or a role, by whoever is no administrator."""
    policies(desk)
    parent = key(desk, "a", "guard")
    assert ("a", "guard") == create(desk, parent, policies=("a",)).info.principal.policies
    assert ("a", "guard") == create(desk, parent, CreateOrphan, policies=("a",)).info.principal.policies
    with pytest.raises(PermissionDenied):
        desk.do(CreateKey(key_name="k", policies=("a",)), parent)
    desk.do(CreateKey(key_name="k", policies=("a", "guard")), parent)


def test_a_tree_ends_with_its_root_in_every_worker(desk: Any, other_worker: Any) -> None:
    """All generations in one transaction, and nobody else."""
    policies(desk)
    top = create(desk, key(desk, "a"))
    stranger = create(desk, key(desk, "a"))
    tree = [top]
    for _ in range(4):
        tree += [create(desk, parent.info.principal) for parent in tree[-2:]]
    orphan = create(desk, tree[-1].info.principal, CreateOrphan)
    assert all(other_worker.logged_in(one.token) for one in tree)
    desk.do(RevokeSelf(), top.info.principal)
    for worker in (desk, other_worker):
        assert [None] * len(tree) == [worker.logged_in(one.token) for one in tree]
        assert worker.logged_in(stranger.token)
        assert worker.logged_in(orphan.token)


def test_a_child_does_not_outlive_a_parent_that_expires(desk: Any, clock: Any) -> None:
    """At use, to the nanosecond, through all generations; a renewed parent carries it on."""
    policies(desk)
    parent = create(desk, key(desk, "a"), ttl=HOUR)
    child = create(desk, parent.info.principal, ttl=5 * HOUR)
    grandchild = create(desk, child.info.principal, ttl=5 * HOUR)
    assert parent.info.principal.expires_at == desk.state.principals.authenticated(grandchild.token, "root").expires_at
    clock.time += HOUR - 1
    assert desk.logged_in(grandchild.token)
    desk.do(RenewSelf(), parent.info.principal)
    clock.time += HOUR - 1
    assert desk.logged_in(grandchild.token)
    clock.time += 1
    assert desk.logged_in(grandchild.token) is None
    with pytest.raises(SecretNotFound):
        desk.do(LookupAccessor(accessor=child.info.principal.accessor))
    with pytest.raises(Unauthenticated):
        desk.do(RenewSelf(), child.info.principal)


def test_what_expired_is_swept_with_all_below_it(desk: Any, clock: Any, state: Any) -> None:
    """Dead branches do not pile up, not even those without an expiry of their own."""
    policies(desk)
    parent = create(desk, key(desk, "a"), ttl=HOUR)
    for _ in range(3):
        create(desk, parent.info.principal)
    clock.pass_seconds(3_601)
    desk.do(TidyTokens())
    with state._database.reading() as connection:
        assert 1 == connection.exec_driver_sql("SELECT count(*) FROM principals").scalar_one()


def test_children_of_a_token_that_ends_alone_become_orphans(desk: Any, other_worker: Any) -> None:
    """They live on, genuine and without a parent."""
    policies(desk)
    parent = create(desk, key(desk, "a"))
    child = create(desk, parent.info.principal)
    grandchild = create(desk, child.info.principal)
    desk.do(RevokeOrphan(token=parent.token))
    assert other_worker.logged_in(parent.token) is None
    assert other_worker.logged_in(grandchild.token)
    assert desk.do(LookupToken(token=child.token)).orphan
    assert not desk.do(LookupToken(token=grandchild.token)).orphan


def test_an_orphan_does_not_outlive_a_giver_that_is_no_administrator(desk: Any, clock: Any) -> None:
    """Not by its ttl, its period or any renewal."""
    policies(desk)
    giver = key(desk, "a", ttl=2 * HOUR)
    clock.time = giver.created_at
    lives: list[dict[str, Any]] = [{"ttl": 5 * HOUR}, {"period": HOUR}, {"explicit_max_ttl": 9 * HOUR}, {}]
    for asked in lives:
        issued = desk.do_at(CreateOrphan(**asked), giver, clock.time)
        assert issued.info.ttl <= 2 * HOUR
        assert 2 * HOUR == issued.info.explicit_max_ttl
    administrator = key(desk, "administrator", ttl=2 * HOUR)
    assert 5 * HOUR == desk.do_at(CreateOrphan(ttl=5 * HOUR), administrator, clock.time).info.ttl


def test_a_child_is_where_and_who_its_parent_is(desk: Any) -> None:
    """Networks, method and attributes are inherited: no condition of a policy is dodged by making a token."""
    policies(desk)
    parent = key(desk, "a", networks=("10.0.0.0/8",), method="approle", attributes={"role": "app"})
    for kind in (CreateToken, CreateOrphan):
        child = create(desk, parent, kind, meta={"role": "other"})
        who = desk.logged_in(child.token)
        proved = {"role": "app", KNOWN_AS: "giver", KNOWN_ID: parent.id, KNOWN_POLICIES: ",".join(parent.policies)}
        assert (("10.0.0.0/8",), "approle", proved) == (who.networks, who.method, who.attributes)
        assert {"role": "other"} == child.info.meta
    made = desk.do(CreateKey(key_name="k", policies=("a",)), parent)
    assert ("10.0.0.0/8",) == desk.logged_in(made.token).networks


def test_a_counted_token_makes_nothing(desk: Any) -> None:
    """Its uses would be worth more than it says."""
    policies(desk)
    counted = create(desk, key(desk, "a"), uses=3).info.principal
    for operation in (CreateToken(), CreateOrphan(), CreateKey(key_name="k", policies=("a",))):
        with pytest.raises(InvalidValue):
            desk.do(operation, counted)


def test_a_foreign_principal_makes_no_token(desk: Any) -> None:
    """Its end would not be seen here."""
    with pytest.raises(Unsupported):
        desk.do(CreateToken(), Principal("u", "root", "u", "jwt", ("a",), "x"))


def test_a_token_whose_maker_ended_meanwhile_is_not_made(desk: Any) -> None:
    """The parent is looked at again in the same transaction."""
    policies(desk)
    parent = create(desk, key(desk, "a")).info.principal
    desk.do(RevokeAccessor(accessor=parent.accessor))
    with pytest.raises(Unauthenticated):
        create(desk, parent)


def test_generations_and_children_are_bounded(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree is neither deep nor wide without end."""
    policies(desk)
    token = create(desk, key(desk, "a"))
    for _ in range(trees.MAX_GENERATIONS - 1):
        token = create(desk, token.info.principal)
    with pytest.raises(InvalidValue, match="generations"):
        create(desk, token.info.principal)
    assert desk.logged_in(token.token)
    monkeypatch.setattr(trees, "MAX_CHILDREN", 2)
    wide = create(desk, key(desk, "a")).info.principal
    create(desk, wide)
    create(desk, wide)
    with pytest.raises(InvalidValue, match="at most 2"):
        create(desk, wide)


@pytest.mark.parametrize(
    "asked",
    [
        {"display_name": ""},
        {"display_name": "x" * 129},
        {"display_name": "a\nb"},
        {"ttl": 0},
        {"ttl": -1},
        {"period": 2**70},
        {"explicit_max_ttl": -1},
        {"uses": -1},
        {"uses": 2**31},
        {"meta": {str(number): "x" for number in range(65)}},
        {"meta": {"": "x"}},
        {"meta": {"k": "x" * 513}},
        {"meta": {"k" * 129: "x"}},
        {"meta": {"k": "\udc80"}},
        {"policies": ("default",) * 65},
    ],
)
def test_a_token_that_makes_no_sense_is_refused(desk: Any, asked: dict[str, Any]) -> None:
    """Names, lives, counts, metadata."""
    with pytest.raises(InvalidValue):
        create(desk, key(desk, "administrator"), **asked)


def test_uses_are_counted_exactly_over_workers(desk: Any, other_worker: Any) -> None:
    """Forty uses at once in two workers with seven allowed: seven; the last one may still ask what it was."""
    policies(desk)
    issued = create(desk, key(desk, "a"), uses=7)
    who = issued.info.principal

    async def attempt(worker: Any) -> bool:
        try:
            await worker.state.principals.use("root", who.id)
        except Unauthenticated:
            return False
        return True

    async def run() -> list[bool]:
        return await asyncio.gather(*(attempt(worker) for _ in range(20) for worker in (desk, other_worker)))

    assert who.counted
    assert 7 == sum(asyncio.run(run()))
    assert desk.logged_in(issued.token) is None
    assert 0 == desk.do(LookupSelf(), who).uses_left
    with pytest.raises(Unauthenticated):
        desk.do(RenewSelf(), who)
    desk.do(TidyTokens())
    with pytest.raises(Unauthenticated):
        desk.do(LookupSelf(), who)


def test_tokens_are_managed_by_themselves_and_by_their_accessors(desk: Any, other_worker: Any) -> None:
    """Looked up, renewed, listed, ended; a name that is wrong, or another namespace's, is nobody's."""
    policies(desk)
    issued = create(desk, key(desk, "a"), ttl=HOUR)
    accessor = issued.info.principal.accessor
    assert issued.info == desk.do(LookupToken(token=issued.token)) == desk.do(LookupAccessor(accessor=accessor))
    assert accessor in desk.do(ListAccessors())
    assert 2 * HOUR == desk.do(RenewToken(token=issued.token, increment=2 * HOUR)).ttl
    assert 3 * HOUR == desk.do(RenewAccessor(accessor=accessor, increment=3 * HOUR)).ttl
    for operation in (
        LookupToken(token="wrong"), LookupToken(token=accessor), LookupAccessor(accessor=issued.token),
        RenewToken(token=accessor), RenewAccessor(accessor=""), RevokeToken(token="x"), RevokeAccessor(accessor="x"),
        RevokeOrphan(token=accessor),
    ):  # fmt: skip
        with pytest.raises(SecretNotFound):
            desk.do(operation)
    with pytest.raises(SecretNotFound):
        desk.do(LookupAccessor(accessor=accessor), namespace="other")
    desk.do(RevokeToken(token=issued.token))
    assert other_worker.logged_in(issued.token) is None
    assert accessor not in desk.do(ListAccessors())


@pytest.mark.parametrize(
    ("asked", "ttl", "period"),
    [
        ({}, MAX_TTL, 0),
        ({"ttl": HOUR}, HOUR, 0),
        ({"ttl": 10**17}, MAX_TTL, 0),
        ({"ttl": 5 * HOUR, "explicit_max_ttl": HOUR}, HOUR, 0),
        ({"period": HOUR, "ttl": 9 * HOUR}, HOUR, HOUR),
        ({"period": 10**17}, MAX_TTL, MAX_TTL),
        ({"period": 2 * HOUR, "explicit_max_ttl": HOUR}, HOUR, HOUR),
    ],
)
def test_a_tokens_first_life(desk: Any, asked: dict[str, Any], ttl: int, period: int) -> None:
    """Within the gateway's bounds and its own."""
    info = create(desk, key(desk, "administrator"), **asked).info
    assert (ttl, period) == (info.ttl, info.period)


durations = st.integers(1, 10**19)


@settings(max_examples=300)
@given(
    created=st.integers(0, 10**18),
    passed=st.integers(0, 10**18),
    increment=st.none() | durations,
    ttl=durations,
    max_ttl=st.none() | durations,
    period=st.none() | durations,
    explicit=st.none() | durations,
)
def test_a_renewal_never_passes_a_bound(
    created: int, passed: int, increment: int | None, ttl: int, max_ttl: int | None, period: int | None,
    explicit: int | None,
) -> None:  # fmt: skip
    """Whatever is asked for: max_ttl without a period, explicit_max_ttl always, one period at most with one."""
    row = {
        "renewable": 1, "created_at": created, "expires_at": created + ttl, "ttl": ttl, "max_ttl": max_ttl,
        "period": period, "explicit_max_ttl": explicit,
    }  # fmt: skip
    now = created + passed
    until = renewed_until(row, now, increment)
    assert until <= NEVER
    assert explicit is None or until <= created + explicit
    if period:
        assert until <= now + period
    else:
        assert max_ttl is None or until <= created + max_ttl
        assert until <= now + (increment or ttl)
