"""The engine against a matcher written independently: whatever the rules and paths, no leak and no surprise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize import BUILT_IN, Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import Malformed, PermissionDenied
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path

FACTS = Arrival("id", 0, 0.0, "127.0.0.1")
NAMES = ("one", "two", "three")
LITERALS = ("a", "b", "ab", "A", "team-", "team-x", "é", "aa")
SEGMENTS = (*LITERALS, "*", "**", "team-*", "auth", "token", "lookup-self")
PARTS = (*LITERALS, "*", "a*", "*b", "a*b", "team-*", "auth", "token")


def segment_fits(pattern: str, segment: str) -> bool:
    """By trying every middle a star could stand for."""
    if "*" not in pattern:
        return pattern == segment
    before, after = pattern.split("*")
    middles = {segment[i:j] for i in range(len(segment) + 1) for j in range(i, len(segment) + 1)}
    return any(before + middle + after == segment for middle in middles)


def covers(pattern: list[str], segments: list[str], *, folder: bool) -> bool:
    """By recursion over strings."""
    if pattern == ["**"]:
        return folder or len(segments) >= 1
    if not pattern or not segments:
        return not pattern and not segments
    return segment_fits(pattern[0], segments[0]) and covers(pattern[1:], segments[1:], folder=folder)


def may_reach(pattern: list[str], segments: list[str]) -> bool:
    """Whether the pattern covers the folder itself or could cover something below it."""
    if not segments or pattern == ["**"]:
        return True
    return bool(pattern) and segment_fits(pattern[0], segments[0]) and may_reach(pattern[1:], segments[1:])


@dataclass(frozen=True)
class Reference:
    """All policies, and which of them somebody carries."""

    policies: tuple[Policy, ...]
    carried: tuple[str, ...]

    def effects(self, action: Action, path: tuple[str, ...], *, folder: bool) -> set[Effect]:
        """The effects of every rule that covers it."""
        return {rule.effect for rule, pattern in self.patterns(action) if covers(pattern, list(path), folder=folder)}

    def patterns(self, action: Action) -> list[tuple[Rule, list[str]]]:
        """Every pattern of every carried rule for that action."""
        known = {policy.name: policy for policy in (*self.policies, *BUILT_IN.values())}
        return [
            (rule, text.split("/"))
            for name in {*self.carried, "default"}
            if name in known
            for rule in known[name].rules
            if action.value in rule.actions or "*" in rule.actions
            for text in rule.paths
        ]

    def allows(self, action: Action, path: tuple[str, ...], *, folder: bool) -> bool:
        """Some rule allows it and none denies it."""
        return self.effects(action, path, folder=folder) == {Effect.ALLOW}

    def shows(self, action: Action, folder: tuple[str, ...], name: str, *, is_folder: bool) -> bool:
        """The rules of listing, name by name."""
        child = (*folder, name)
        if Effect.DENY in self.effects(action, child, folder=is_folder):
            return False
        if action is Action.LIST and self.allows(action, folder, folder=True):
            return True
        if not is_folder:
            return self.allows(action, child, folder=False)
        return any(
            rule.effect is Effect.ALLOW and may_reach(pattern, list(child)) for rule, pattern in self.patterns(action)
        )


@cache
def kind_of(action: Action, *, folder: bool) -> Any:
    return type("Asked", (Operation,), {"action": action, "folder": folder, "__slots__": ()})


def ask(action: Action, path: tuple[str, ...], *, folder: bool) -> Operation[None]:
    asked: Operation[None] = kind_of(action, folder=folder)(path=Path(path))
    return asked


patterns = st.builds(
    lambda parts, rest: "/".join([*parts, "**"] if rest or not parts else parts),
    st.lists(st.sampled_from(PARTS), max_size=4),
    st.booleans(),
)
actions = st.one_of(
    st.just(("*",)), st.lists(st.sampled_from([a.value for a in Action][:4]), min_size=1, max_size=3).map(tuple)
)
rules = st.builds(Rule, st.sampled_from(Effect), actions, st.lists(patterns, min_size=1, max_size=3).map(tuple))
policy_sets = st.tuples(
    *(st.builds(Policy, st.just(name), st.lists(rules, min_size=1, max_size=4).map(tuple)) for name in NAMES)
)
carried = st.lists(st.sampled_from((*NAMES, *NAMES, "administrator", "default", "missing", "*")), max_size=4).map(tuple)
worlds = st.builds(Reference, policy_sets, carried)
anything = st.lists(st.sampled_from(SEGMENTS), max_size=5).map(tuple)


@st.composite
def paths_near(draw: st.DrawFn, world: Reference) -> tuple[str, ...]:
    """Any path, or one that a pattern of this world covers or just misses: chance alone would seldom meet a rule."""
    if draw(st.integers(0, 3)) == 0:
        return draw(anything)
    texts = [text for policy in world.policies for rule in policy.rules for text in rule.paths]
    segments: list[str] = []
    for part in draw(st.sampled_from(texts)).split("/"):
        if part == "**":
            segments += draw(st.lists(st.sampled_from(SEGMENTS), max_size=2))
        elif part == "*":
            segments.append(draw(st.sampled_from(SEGMENTS)))
        else:
            segments.append(part.replace("*", draw(st.sampled_from(("", "x", "a", "*")))))
    slip = draw(st.sampled_from(("none", "none", "shorter", "longer", "case")))
    changed = {"shorter": segments[:-1], "longer": [*segments, "a"], "case": [s.swapcase() for s in segments]}
    return tuple(changed.get(slip, segments))


def engine_of(policies: tuple[Policy, ...]) -> Engine:
    return Engine(lambda _: SimpleNamespace(policies=policies), LocalEpochs())


def somebody(carries: tuple[str, ...]) -> Principal:
    return Principal("p", "root", "somebody", "key", carries, "accessor")


@settings(max_examples=300, deadline=None)
@given(st.data(), worlds)
def test_every_decision_is_the_reference_s(data: st.DataObject, world: Reference) -> None:
    """Fresh, remembered and explained decisions all say what the reference says, and name a rule that covers it."""
    engine, who = engine_of(world.policies), somebody(world.carried)
    known = {policy.name: policy for policy in (*world.policies, *BUILT_IN.values())}
    question = st.tuples(st.sampled_from(list(Action)[:5]), paths_near(world), st.booleans())
    questions = data.draw(st.lists(question, min_size=4, max_size=8))
    for action, path, folder in (*questions, *questions):
        expected = world.allows(action, path, folder=folder)
        try:
            decision = engine.require(who, ask(action, path, folder=folder), FACTS)
        except PermissionDenied:
            allowed = False
        else:
            allowed = True
            rule = known[decision.policy].rules[decision.rule - 1]
            assert Effect.ALLOW is rule.effect
            assert any(covers(text.split("/"), list(path), folder=folder) for text in rule.paths)
        explained = engine.explain("root", world.carried, action, Path(path), folder=folder)
        assert (expected, expected) == (allowed, explained.allowed)
        effects = world.effects(action, path, folder=folder)
        assert (explained.rule is None) == (effects == set())
        assert explained.rule is None or explained.rule.effect is (Effect.ALLOW if expected else Effect.DENY)


@settings(max_examples=250, deadline=None)
@given(st.data(), worlds, st.sampled_from([Action.LIST, Action.READ]))
def test_every_visible_name_is_the_reference_s(data: st.DataObject, world: Reference, action: Action) -> None:
    """One compiled answer for a folder shows exactly the names that asking one by one would show."""
    path = data.draw(paths_near(world))
    folder = path[: data.draw(st.integers(0, len(path)))]
    visible = engine_of(world.policies).visible(somebody(world.carried), action, Path(folder), FACTS)
    names = [(name, is_folder) for name in SEGMENTS for is_folder in (False, True)]
    shown = [visible.matches(name, is_folder) for name, is_folder in names]
    assert [world.shows(action, folder, name, is_folder=is_folder) for name, is_folder in names] == shown
    assert visible.extent.value != "all" or all(shown)
    assert visible.extent.value != "none" or not any(shown)


@settings(max_examples=80, deadline=None)
@given(st.data(), worlds)
def test_every_capability_is_the_reference_s(data: st.DataObject, world: Reference) -> None:
    """Capabilities are what ``require`` would allow; ``list`` of the folder, the others of the secret."""
    paths = data.draw(st.lists(paths_near(world), min_size=1, max_size=4))
    expected = {
        "/".join(path): {action for action in Action if world.allows(action, path, folder=action is Action.LIST)}
        for path in paths
    }
    found = engine_of(world.policies).capabilities(somebody(world.carried), [Path(path) for path in paths], FACTS)
    assert expected == found


DENIES = ["secret/prod/db", "secret/prod/**", "secret/*/db", "secret/pr*/db", "secret/*/**", "*/prod/*"]
RAW = [
    b"secret/prod/db", b"secret/pro%64/db", b"secret/%70rod/db", b"%73ecret/prod/db", b"secret/prod/d%62",
    b"secret/x/../prod/db", b"secret/x/%2e%2e/prod/db", b"secret/./prod/db", b"secret/%2e/prod/db",
    b"secret//prod/db", b"/secret/prod/db", b"secret/prod/db/", b"secret/prod/db//", b"secret%2fprod%2fdb",
    b"secret%2Fprod/db", b"secret%5cprod%5cdb", b"secret\\prod\\db", b"secret/prod/db%00", b"secret/prod/db%0a",
    b"secret/prod/db%20", b"secret/%20prod/db", b"secret/prod/db%ff", b"secret/prod/%fe", b"secret/prod/db%c0%af",
    b"secret/prod/%ef%bf%bd", b"secret/prod/%e2%80%a8db", b"secret/prod/%ed%a0%80", b"secret/pro%2564/db",
    b"secret/PROD/db", b"Secret/prod/db", b"secret/prod/DB", b"secret/prod/d%CC%81b", b"secret/prod/db;x=1",
    b"secret/prod/db?x", b"secret/prod/db#x", b"secret/*/db", b"secret/**", b"secret/prod*/db",
]  # fmt: skip


@pytest.mark.parametrize("deny", DENIES)
@pytest.mark.parametrize("raw", RAW)
def test_no_spelling_of_a_denied_path_passes(raw: bytes, deny: str) -> None:
    """Each spelling is refused, or is one canonical path that the deny covers or does not; there is no third way."""
    policy = Policy("one", (Rule(Effect.ALLOW, ("*",), ("**",)), Rule(Effect.DENY, ("*",), (deny,))))
    engine, who = engine_of((policy,)), somebody(("one", "administrator"))
    try:
        path = Path.from_raw(raw)
    except Malformed:
        return
    denied = covers(deny.split("/"), list(path.segments), folder=False)
    assert denied or path != Path.parse("secret/prod/db")
    for action in Action:
        try:
            engine.require(who, ask(action, path.segments, folder=False), FACTS)
        except PermissionDenied:
            assert denied
        else:
            assert not denied
