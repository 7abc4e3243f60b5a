"""Tokens bound to networks, and tokens whose uses are counted: looked at and counted at every use, memo or not."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.pipeline.authenticate import Authenticate
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import Unauthenticated
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.spi.operations.tokens import LookupSelf

BOUND = Principal("p", "root", "p", "key", (), "a", networks=("10.0.0.0/8",))


class One(Authenticator):
    """Knows one principal, and how often it was used."""

    def __init__(self, principal: Principal, uses: int = 0) -> None:
        self.principal = principal
        self.left = uses
        self.proved = 0

    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        self.proved += 1
        return self.principal

    async def use(self, principal: Principal) -> None:
        assert principal is self.principal
        if not self.left:
            raise Unauthenticated("used up")
        self.left -= 1


async def passed(context: Context) -> Outcome[Any]:
    return Outcome(context.principal)


REQUESTS = itertools.count()


def ask(layer: Authenticate, source: str, namespace: str = "root", request: str = "") -> Principal | None:
    arrival = Arrival(request or str(next(REQUESTS)), 0, 1e12, source)

    async def run() -> Outcome[Any]:
        return await layer(Context(arrival, LookupSelf(), Credential("token", "t"), namespace), passed)

    try:
        principal: Principal = asyncio.run(run()).result
    except Unauthenticated as refused:
        return None if str(refused) == "permission denied" else BOUND
    return principal


@pytest.fixture
def layer_of(clock: Any) -> Any:
    return lambda authenticator: Authenticate([authenticator], clock, LocalEpochs())


def test_where_a_token_comes_from_is_looked_at_though_it_is_remembered(layer_of: Any) -> None:
    """A memo of one network is no pass for another."""
    one = One(BOUND)
    layer = layer_of(one)
    for source, expected in (
        ("192.0.2.1", None), ("10.0.0.1", BOUND), ("10.9.9.9", BOUND), ("192.0.2.1", None), ("", None),
        ("10.0.0.1", BOUND),
    ):  # fmt: skip
        assert expected == ask(layer, source)
    assert 2 == one.proved


def test_each_use_of_a_counted_token_is_consumed_and_none_is_remembered(layer_of: Any) -> None:
    """As often as it may be, and proved each time."""
    one = One(replace(BOUND, networks=(), counted=True), uses=3)
    layer = layer_of(one)
    assert [True, True, True, False, False] == [ask(layer, "10.0.0.1") is not None for _ in range(5)]
    assert 5 == one.proved


def test_one_request_costs_one_use_however_many_operations_it_is(layer_of: Any) -> None:
    """A list with what is known of each name is two; where it comes from is looked at each time all the same."""
    one = One(replace(BOUND, counted=True), uses=1)
    layer = layer_of(one)
    assert [True] * 3 == [ask(layer, "10.0.0.1", request="one") is not None for _ in range(3)]
    assert (1, 0) == (one.proved, one.left)
    assert ask(layer, "192.0.2.1", request="one") is None
    assert ask(layer, "10.0.0.1", "other", request="one") is None
    assert ask(layer, "10.0.0.1", request="two") is None


def test_a_revoked_counted_token_ends_within_its_request(clock: Any) -> None:
    """What it consumed once is no pass past the epoch of its namespace's principals."""
    one, epochs = One(replace(BOUND, counted=True), uses=1), LocalEpochs()
    layer = Authenticate([one], clock, epochs)
    assert ask(layer, "10.0.0.1", request="one")
    epochs.bump(epochs.slot("principals", "root"))
    assert ask(layer, "10.0.0.1", request="one") is None


def test_a_counted_token_that_is_refused_loses_no_use(layer_of: Any) -> None:
    """Whoever shows a stolen one from elsewhere, or in another namespace, cannot use it up."""
    one = One(replace(BOUND, counted=True), uses=1)
    layer = layer_of(one)
    assert ask(layer, "192.0.2.1") is None
    assert ask(layer, "10.0.0.1", "other") is None
    assert ask(layer, "10.0.0.1", "") is None
    assert 1 == one.left
    assert ask(layer, "10.0.0.1")
    assert ask(layer, "10.0.0.1") is None


def test_a_token_of_another_kind_is_not_counted(layer_of: Any) -> None:
    """``use`` is asked of counted principals only."""
    assert ask(layer_of(One(BOUND, uses=0)), "10.0.0.1") == BOUND
