"""The index of rules: finds what trying each rule would find, and no request holds the loop while it decides."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.context import Context
from wardgate.pipeline.authorize import Authorize, Engine, pace
from wardgate.pipeline.authorize.compiled import Compiled, Row, Shelf
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets, ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

SEGMENTS = ("a", "b", "ab", "ba", "abc")
PATHS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=5).map(tuple)
PATTERNS = st.builds(
    lambda parts, end: "/".join([*parts, *end]),
    st.lists(st.sampled_from((*SEGMENTS, "*", "a*", "*b", "a*b")), min_size=1, max_size=4),
    st.sampled_from(((), ("**",))),
)
PRINCIPAL = Principal("p", "root", "somebody", "key", ("p",), "accessor")


def rows_of(patterns: list[str]) -> list[Row]:
    return [Row("p", "root", "read", Pattern.parse(text), "allow", None, i) for i, text in enumerate(patterns, 1)]


@settings(max_examples=500, deadline=None)
@given(st.lists(PATTERNS, max_size=20, unique=True), PATHS, st.booleans())
def test_the_index_finds_what_trying_each_finds(patterns: list[str], path: tuple[str, ...], folder: bool) -> None:  # noqa: FBT001  # Hypothesis gives it
    """For a secret and a folder; no row is missing, and none stands twice."""
    rows = rows_of(patterns)
    target = Target(path, folder)
    assert [row for row in rows if row.pattern.matches(target)] == Shelf(rows).covering(target)


@settings(max_examples=500, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=20, unique=True), PATHS, PATHS)
def test_folders_that_the_same_reaches_have_the_same_below(
    patterns: list[str], one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """What reaches below a folder is found whole; where it is equal, so is what the patterns leave."""

    def left(folder: tuple[str, ...], rows: Any) -> set[Any]:
        below = [(row.rule, row.pattern.below(folder)) for row in rows]
        return {found for found in below if found[1] not in (None, ((), False))}

    policy = Policy("p", tuple(Rule(Effect.ALLOW, ("read",), (text,)) for text in patterns))
    compiled = Compiled("root", (policy,))
    reached = {folder: compiled.reaching(("p",), "read", folder) for folder in (one, other)}
    for folder, found in reached.items():
        assert left(folder, rows_of(patterns)) <= left(folder, found)
    if reached[one] == reached[other]:
        assert left(one, reached[one]) == left(other, reached[other])


def test_a_star_before_a_literal_segment_is_looked_past() -> None:
    """Of a thousand such rules a path has the one it fits."""
    rows = rows_of([f"secret/*/n{i}" for i in range(1_000)])
    shelf = Shelf(rows)
    assert [rows[7]] == shelf.covering(Target(("secret", "a", "n7"), folder=False))
    assert [] == shelf.covering(Target(("secret", "a", "other"), folder=False))


BATCH = ReadSecrets(items=tuple(ReadSecret(path=Path.parse(f"secret/f{i}/s")) for i in range(100)))
SCAN = ScanSecrets(path=Path.parse("secret"))


@pytest.mark.parametrize("operation", [BATCH, SCAN])
def test_others_have_the_loop_while_one_decides(operation: Operation[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch and a scan give way between their items."""
    monkeypatch.setattr(pace, "AT_A_STRETCH", 0.0)
    policies = SimpleNamespace(policies=(Policy("p", (Rule(Effect.ALLOW, ("*",), ("**",)),)),))
    layer = Authorize(Engine(lambda _: policies, LocalEpochs()))
    context = Context(Arrival("id", 0, 0.0, "127.0.0.1"), operation, None, "root")
    context.principal = PRINCIPAL

    async def store(_: Context) -> Outcome[Any]:
        return Outcome(Page(tuple(Entry(f"f{i}/s") for i in range(100))))

    async def both() -> int:
        turns = 0
        asked = asyncio.ensure_future(layer(context, store))
        while not asked.done():
            turns += 1
            await asyncio.sleep(0)
        await asked
        return turns

    assert asyncio.run(both()) >= 100
