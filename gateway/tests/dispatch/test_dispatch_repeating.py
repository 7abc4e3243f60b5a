"""A change under a key is made once: its end is kept, forgotten or left open, as is true of what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from wardgate.context import Context, Decision
from wardgate.pipeline.dispatch.repeating import Repeating
from wardgate.spi.errors import (
    Conflict,
    Malformed,
    OutcomeUnknown,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    WardgateError,
)
from wardgate.spi.frontend import Arrival, Outcome, Repeat, Repeated, Wrap
from wardgate.spi.identity import Principal
from wardgate.spi.operations.tokens import RevokeSelf

PRINCIPAL = Principal("p", "root", "p", "key", (), "a")


class Clock:
    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return 100.0


class Keys:
    """Remembers what it is told; ``kept`` is what a claim finds."""

    def __init__(self, kept: bytes | None = None, failure: WardgateError | None = None) -> None:
        self.kept = kept
        self.failure = failure
        self.told: list[Any] = []

    async def claim(self, namespace: str, principal: str, key: str, request: Sequence[bytes], busy: int) -> Any:
        self.told.append((namespace, principal, key, request, busy))
        return self.kept if self.kept is not None else 1

    async def keep(self, claim: int, answer: bytes) -> None:
        self.told.append(answer)
        if self.failure:
            raise self.failure

    async def forget(self, claim: int) -> None:
        self.told.append("forget")
        if self.failure:
            raise self.failure


def context(*, principal: Principal | None = PRINCIPAL, wrap: Wrap | None = None) -> Context:
    repeat = Repeat("k", (b"r",), lambda outcome: str(outcome.result).encode())
    made = Context(Arrival("i", 0, 110.0, ""), RevokeSelf(), None, "root", None, wrap, repeat)
    made.principal = principal
    return made


def once(keys: Keys, change: object, asked: Context | None = None) -> Outcome[Any]:
    """``change``: what it gives, or an error that it raises."""

    async def changing() -> Outcome[Any]:
        keys.told.append("change")
        if isinstance(change, Exception):
            raise change
        return Outcome(change)

    return asyncio.run(Repeating(keys, Clock()).once(asked or context(), changing))


def test_the_first_makes_the_change_and_keeps_its_answer() -> None:
    """In the front-end's own form, which holds nothing secret."""
    keys = Keys()
    assert Outcome(5) == once(keys, 5)
    assert [("root", "p", "k", (b"r",), 15 * 10**9), "change", b"5"] == keys.told


def test_a_repeat_makes_no_change() -> None:
    """It gets what was kept."""
    keys = Keys(kept=b"5")
    assert Outcome(Repeated(b"5")) == once(keys, 6)
    assert 1 == len(keys.told)


def batch(*allowing: str) -> Context:
    made = context()
    made.decisions = tuple(Decision(policy, 1) if policy else None for policy in allowing)
    return made


def test_a_repeat_of_a_batch_is_refused_once_its_rights_are_gone() -> None:
    """What was allowed must be still; what was denied at first may be so again, or be allowed by now."""
    keys = Keys()
    once(keys, 5, batch("p", ""))
    keys.kept = keys.told[-1]
    assert Outcome(Repeated(b"5")) == once(keys, 6, batch("p", ""))
    assert Outcome(Repeated(b"5")) == once(keys, 6, batch("p", "p"))
    for now in (("", ""), ("", "p")):
        with pytest.raises(PermissionDenied):
            once(keys, 6, batch(*now))
    assert 1 == keys.told.count("change")


@pytest.mark.parametrize("error", [Conflict("x"), Unavailable("x")])
def test_a_refusal_changed_nothing_so_its_key_is_forgotten(error: WardgateError) -> None:
    """Then a repeat is a first request again."""
    keys = Keys()
    with pytest.raises(type(error)):
        once(keys, error)
    assert ["change", "forget"] == keys.told[1:]


@pytest.mark.parametrize("error", [OutcomeUnknown("x"), ZeroDivisionError()])
def test_an_unclear_end_stays_open(error: Exception) -> None:
    """A repeat is told so; it is never tried once more."""
    keys = Keys()
    with pytest.raises(type(error)):
        once(keys, error)
    assert ["change"] == keys.told[1:]


def test_a_state_that_fails_meanwhile_hides_nothing() -> None:
    """What was done is answered, and so is what was refused."""
    assert Outcome(5) == once(Keys(failure=Unavailable("x")), 5)
    with pytest.raises(Conflict):
        once(Keys(failure=Unavailable("x")), Conflict("x"))


def test_a_key_needs_a_principal_and_an_answer_that_can_be_kept() -> None:
    """Neither nobody's key nor a wrapped answer is accepted; nothing is done."""
    keys = Keys()
    with pytest.raises(Unauthenticated):
        once(keys, 5, context(principal=None))
    with pytest.raises(Malformed):
        once(keys, 5, context(wrap=Wrap(1, "", lambda _: b"")))
    assert [] == keys.told
