"""Wrapping an answer in dispatch: instead of it, after it, and never an error or what policy hides."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.pipeline.authorize import Authorize, Engine
from wardgate.pipeline.dispatch.wrapping import Wrapping
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import OutcomeUnknown, RateLimited, TooLarge
from wardgate.spi.frontend import Arrival, Outcome, Wrap
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import DeleteSecret, ListSecrets, ReadSecret
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.operations.wrapping import Wrapped
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

from tests.support.memory_services import MemoryKeeper

ARRIVAL = Arrival(id="r", received_at=0, deadline=1e12, source="127.0.0.1")
SECRET = Path(("secret", "a"))
WHO = Principal("p", "root", "p", "key", ("p",), "accessor")


def wrapping(encode: Any = lambda outcome: repr(outcome.result).encode()) -> Wrap:
    return Wrap(60 * 10**9, "secret/a", encode)


def context_of(operation: Operation[Any], wrap: Wrap) -> Context:
    return Context(ARRIVAL, operation, None, "root", None, wrap)


def kept(keeper: Any, operation: Operation[Any], result: Any, wrap: Wrap) -> Outcome[Any]:
    context = context_of(operation, wrap)
    context.principal = WHO
    return asyncio.run(Wrapping(keeper).of(context, wrap, Outcome(result)))


def test_an_answer_is_kept_instead_of_given() -> None:
    """What leaves is a token and where it comes from."""
    keeper = MemoryKeeper()

    outcome = kept(keeper, ReadSecret(path=SECRET), "value", wrapping())

    assert isinstance(outcome.result, Wrapped)
    assert b"'value'" == keeper._taken(outcome.result.token).payload


def test_what_says_nothing_is_given_as_it_is() -> None:
    """No body, no wrapping."""
    assert "value" == kept(MemoryKeeper(), ReadSecret(path=SECRET), "value", wrapping(lambda _: b"")).result


def test_the_accessor_of_a_token_inside_is_told() -> None:
    """So that whoever made it can end it, without having seen it."""
    issued = TokenIssued(TokenInfo(WHO, 1, 1, 1, renewable=False), "wg_secret")

    outcome = kept(MemoryKeeper(), ReadSecret(path=SECRET), issued, wrapping(lambda _: b"x"))

    assert "accessor" == outcome.result.wrapped_accessor


class Shares(MemoryKeeper):
    """Remembers whose share was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.makers: list[str] = []

    async def keep(self, namespace: str, payload: bytes, *, maker: str = "", **more: Any) -> Wrapped:
        self.makers.append(maker)
        return await super().keep(namespace, payload, **more)


@pytest.mark.parametrize(
    ("who", "result", "maker"),
    [
        (WHO, "value", "p"),
        (dataclasses.replace(WHO, attributes={"wardgate:id": "parent"}), "value", "parent"),
        (dataclasses.replace(WHO, method="approle", attributes={"role": "ci"}), "value", "approle/ci"),
        (None, TokenIssued(TokenInfo(WHO, 1, 1, 1, renewable=False), "wg_secret"), "p"),
        (None, "value", ""),
    ],
    ids=["its own", "its parent's", "its role's", "of who just logged in", "nobody's"],
)
def test_an_answer_takes_room_of_its_maker_s_share(who: Principal | None, result: Any, maker: str) -> None:
    """However many tokens one has, or gets by logging in again."""
    keeper, wrap = Shares(), wrapping()
    context = context_of(ReadSecret(path=SECRET), wrap)
    context.principal = who
    asyncio.run(Wrapping(keeper).of(context, wrap, Outcome(result)))
    assert [maker] == keeper.makers


class Full(MemoryKeeper):
    """Has no room."""

    def check(self, namespace: str, ttl: int, maker: str | None = None) -> None:
        raise RateLimited("full")

    async def keep(self, namespace: str, payload: bytes, **_: Any) -> Wrapped:
        raise TooLarge("long")


def test_what_cannot_be_kept_is_refused_before_it_is_done() -> None:
    """And where it turns out afterwards, a change is told to have been made."""
    read, change = ReadSecret(path=SECRET), DeleteSecret(path=SECRET)

    with pytest.raises(RateLimited):
        Wrapping(Full()).check("root", wrapping(), WHO)
    with pytest.raises(TooLarge):
        kept(Full(), read, "value", wrapping())
    with pytest.raises(OutcomeUnknown, match="its answer is lost"):
        kept(Full(), change, "value", wrapping())


class Policies:
    """Two rules."""

    policies = (
        Policy(
            "p",
            (Rule(Effect.ALLOW, ("list",), ("secret/**",)), Rule(Effect.DENY, ("list",), ("secret/hidden/**",))),
        ),
    )


def test_a_wrapped_list_holds_no_name_that_is_denied() -> None:
    """It is kept below the layer that filters, and filtered all the same."""
    authorize = Authorize(Engine(lambda _: Policies(), LocalEpochs()))
    keeper = MemoryKeeper()
    context = context_of(ListSecrets(path=Path(("secret",))), wrapping(lambda o: repr(o.result.entries).encode()))
    context.principal = WHO

    async def dispatch(context: Context) -> Outcome[Any]:
        page = Page((Entry("shown", folder=True), Entry("hidden", folder=True)), None)
        assert context.wrap
        return await Wrapping(keeper).of(context, context.wrap, Outcome(page))

    async def answered() -> Outcome[Any]:
        return await authorize(context, dispatch)

    payload = keeper._taken(asyncio.run(answered()).result.token).payload

    assert b"shown" in payload
    assert b"hidden" not in payload
