"""Who asks: proofs, the memo, and its limits."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.context import Context
from wardgate.pipeline.authenticate import Authenticate
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import REFUSED, Sealed, Unauthenticated, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.spi.operations.approle import Login
from wardgate.spi.operations.tokens import LookupSelf

SECOND = 10**9
ARRIVAL = Arrival(id="r", received_at=0, deadline=1e9, source="127.0.0.1")
REQUESTS = itertools.count()


class Clock:
    def __init__(self) -> None:
        self.time = 1_000 * SECOND

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / SECOND


def principal(namespace: str = "root", **changes: Any) -> Principal:
    facts: dict[str, Any] = {
        "id": "1", "namespace": namespace, "name": "n", "method": "key", "policies": (), "accessor": "a", **changes,
    }  # fmt: skip
    return Principal(**facts)


class Fixed(Authenticator):
    """Knows fixed secrets, whatever namespace is asked for, and counts how often it is asked."""

    def __init__(self, known: Mapping[str, Principal | Exception]) -> None:
        self.known = dict(known)
        self.asked = 0

    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        self.asked += 1
        answer = self.known.get(credential.secret)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Road:
    """The layer with one authenticator after it was built, and what came out at its end."""

    def __init__(self, known: Mapping[str, Principal | Exception], **options: Any) -> None:
        self.clock = Clock()
        self.epochs = LocalEpochs()
        self.authenticator = Fixed(known)
        self.layer = Authenticate([self.authenticator], self.clock, self.epochs, **options)

    def ask(self, secret: str | None, namespace: str = "root", operation: Any = None, **more: Any) -> Principal | None:
        credential = None if secret is None else Credential(more.get("kind", "token"), secret, more.get("evidence", {}))
        arrival = Arrival(str(next(REQUESTS)), ARRIVAL.received_at, ARRIVAL.deadline, ARRIVAL.source)
        context = Context(arrival, operation or LookupSelf(), credential, namespace)

        async def last(context: Context) -> Outcome[Any]:
            return Outcome(context.principal)

        async def answer() -> Outcome[Any]:
            return await self.layer(context, last)

        result: Principal | None = asyncio.run(answer()).result
        return result


def test_a_good_credential_becomes_the_contexts_principal() -> None:
    """What the authenticator says is who asks."""
    who = principal()
    assert who == Road({"good": who}).ask("good")


@pytest.mark.parametrize("secret", [None, "", "unknown", "caf\u00e9\udc80"])
def test_whoever_cannot_prove_himself_is_refused_alike(secret: str | None) -> None:
    """No credential, an empty, an unknown and an undecodable one answer with the same words."""
    with pytest.raises(Unauthenticated) as refused:
        Road({}).ask(secret)
    assert REFUSED == str(refused.value)


def test_an_anonymous_operation_passes_without_a_principal() -> None:
    """Login needs no credential, and one shown with it is not looked at."""
    road = Road({"good": principal()})
    assert road.ask("good", operation=Login(role_id="r", secret_id="s")) is None
    assert 0 == road.authenticator.asked


def test_a_principal_of_another_namespace_is_refused() -> None:
    """Even when an authenticator forgets to look."""
    road = Road({"good": principal("team")})
    for namespace in ("root", "", "other"):
        with pytest.raises(Unauthenticated):
            road.ask("good", namespace)
    assert principal("team") == road.ask("good", "team")
    with pytest.raises(Unauthenticated):
        road.ask("good", "root")


def test_a_principal_without_a_namespace_is_nobody() -> None:
    """An unknown namespace has the id "", and no principal ever matches that."""
    with pytest.raises(Unauthenticated):
        Road({"good": principal("")}).ask("good", "")


def test_a_remembered_principal_is_not_proved_again() -> None:
    """The second time nobody is asked."""
    road = Road({"good": principal()})
    assert [principal()] * 3 == [road.ask("good") for _ in range(3)]
    assert 1 == road.authenticator.asked


def test_a_revocation_is_seen_at_the_next_request() -> None:
    """The epoch of the namespace's principals ends what was remembered."""
    road = Road({"good": principal()})
    road.ask("good")
    del road.authenticator.known["good"]
    road.epochs.bump(road.epochs.slot("principals", "root"))
    with pytest.raises(Unauthenticated):
        road.ask("good")


def test_another_namespaces_epoch_leaves_the_memo_alone() -> None:
    """Only the principal's own namespace counts."""
    road = Road({"good": principal()})
    road.ask("good")
    road.epochs.bump(road.epochs.slot("principals", "team"))
    road.ask("good")
    assert 1 == road.authenticator.asked


def test_a_change_during_the_proof_is_not_missed() -> None:
    """The epoch is read before the proof: what ends while it is fetched is not remembered as good."""
    road = Road({})

    class Racing(Fixed):
        async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
            found = await super().authenticate(credential, namespace)
            self.known.clear()
            road.epochs.bump(road.epochs.slot("principals", "root"))
            return found

    road.layer = Authenticate([Racing({"good": principal()})], road.clock, road.epochs)
    road.ask("good")
    with pytest.raises(Unauthenticated):
        road.ask("good")


def test_a_remembered_principal_ends_at_its_expiry() -> None:
    """To the nanosecond, without any cleaner having run."""
    road = Road({})
    road.authenticator.known["good"] = principal(expires_at=road.clock.time + 5 * SECOND)
    road.ask("good")
    road.clock.time += 5 * SECOND - 1
    road.ask("good")
    road.clock.time += 1
    with pytest.raises(Unauthenticated):
        road.ask("good")


def test_a_counted_credential_is_proved_every_time() -> None:
    """Each use must be consumed."""
    road = Road({"good": principal(counted=True)})
    for _ in range(3):
        road.ask("good")
    assert 3 == road.authenticator.asked


def test_a_credential_with_evidence_is_proved_every_time() -> None:
    """A signature covers one request, so it says nothing of the next."""
    road = Road({"good": principal()})
    for _ in range(2):
        road.ask("good", evidence={"signature": "x"})
    assert 2 == road.authenticator.asked


def test_the_same_text_as_another_kind_of_credential_is_another_credential() -> None:
    """The kind is part of what is remembered."""
    road = Road({"good": principal()})
    road.ask("good")
    road.ask("good", kind="other")
    assert 2 == road.authenticator.asked


def test_refusals_are_not_remembered() -> None:
    """A key made a moment later works."""
    road = Road({})
    with pytest.raises(Unauthenticated):
        road.ask("good")
    road.authenticator.known["good"] = principal()
    assert principal() == road.ask("good")


def test_the_memo_is_bounded_and_forgets_the_least_recently_seen() -> None:
    """Many tokens never grow it past its bound."""
    road = Road({str(n): principal() for n in range(10)}, remembered=3)
    for n in range(10):
        road.ask(str(n))
        road.ask("0")
    assert 3 == len(road.layer._memo)
    assert 10 == road.authenticator.asked


def test_no_token_is_kept_in_the_memo() -> None:
    """Keys of the memo hold a hash."""
    road = Road({"wg_canary": principal()})
    road.ask("wg_canary")
    assert "canary" not in repr(road.layer._memo)


def test_the_first_authenticator_that_knows_the_credential_answers() -> None:
    """None passes it on; a refusal ends it."""
    nobody, first, second = Fixed({}), Fixed({"good": principal(name="first")}), Fixed({"good": principal()})
    layer = Authenticate([nobody, first, second], Clock(), LocalEpochs())
    road = Road({})
    road.layer = layer
    found = road.ask("good")
    assert found is not None
    assert "first" == found.name
    assert (1, 1, 0) == (nobody.asked, first.asked, second.asked)


def test_what_an_authenticator_says_is_wrong_stays_inside() -> None:
    """Words such as "expired" would help whoever guesses."""
    with pytest.raises(Unauthenticated) as refused:
        Road({"bad": Unauthenticated("user alice is locked")}).ask("bad")
    assert REFUSED == str(refused.value)


def test_a_broken_authenticator_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    """A plugin's defect is Unavailable; neither log nor error quotes anything."""
    with pytest.raises(Unavailable) as refused:
        Road({"canary": RuntimeError("canary is the token")}).ask("canary")
    assert "canary" not in str(refused.value) + caplog.text


def test_errors_of_the_closed_list_pass() -> None:
    """A sealed namespace is said to be sealed."""
    with pytest.raises(Sealed):
        Road({"x": Sealed("sealed")}).ask("x")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ask", "end", "make", "wait"])), max_size=40))
def test_the_memo_never_says_more_than_the_authenticator(steps: list[tuple[str, str]]) -> None:
    """Over any order of uses, revocations, issues and passing time, the layer answers as if it remembered nothing."""
    road = Road({})
    ends: dict[str, int] = {}
    for name, step in steps:
        if step == "make":
            ends[name] = road.clock.time + 3 * SECOND
            road.authenticator.known[name] = principal(id=name, expires_at=ends[name])
        elif step == "end":
            ends.pop(name, None)
            road.authenticator.known.pop(name, None)
            road.epochs.bump(road.epochs.slot("principals", "root"))
        elif step == "wait":
            road.clock.time += SECOND
        else:
            try:
                granted = road.ask(name) is not None
            except WardgateError:
                granted = False
            assert (ends.get(name, 0) > road.clock.time) == granted
