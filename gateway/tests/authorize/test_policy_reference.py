"""The engine against a matcher written independently: whatever the rules and paths, no leak and no surprise."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize import BUILT_IN, Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import Malformed, PermissionDenied
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path

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


def ask(action: Action, path: tuple[str, ...], *, folder: bool) -> Operation[None]:
    kind = type("Asked", (Operation,), {"action": action, "folder": folder, "__slots__": ()})
    asked: Operation[None] = kind(path=Path(path))
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
carried = st.lists(st.sampled_from((*NAMES, "administrator", "default", "missing", "*")), max_size=4).map(tuple)
paths = st.lists(st.sampled_from(SEGMENTS), max_size=5).map(tuple)
asked = st.lists(st.tuples(st.sampled_from(list(Action)[:5]), paths, st.booleans()), min_size=1, max_size=12)


def engine_of(policies: tuple[Policy, ...]) -> Engine:
    return Engine(lambda _: SimpleNamespace(epoch=0, policies=policies), LocalEpochs())


def somebody(carries: tuple[str, ...]) -> Principal:
    return Principal("p", "root", "somebody", "key", carries, "accessor")


@settings(max_examples=500, deadline=None)
@given(policy_sets, carried, asked)
def test_every_decision_is_the_reference_s(
    policies: tuple[Policy, ...], carries: tuple[str, ...], questions: list[tuple[Action, tuple[str, ...], bool]]
) -> None:
    """Fresh, remembered and explained decisions all say what the reference says, and name a rule that covers it."""
    engine, reference, who = engine_of(policies), Reference(policies, carries), somebody(carries)
    known = {policy.name: policy for policy in (*policies, *BUILT_IN.values())}
    for action, path, folder in (*questions, *questions):
        expected = reference.allows(action, path, folder=folder)
        try:
            decision = engine.require(who, ask(action, path, folder=folder))
        except PermissionDenied:
            allowed = False
        else:
            allowed = True
            rule = known[decision.policy].rules[decision.rule - 1]
            assert Effect.ALLOW is rule.effect
            assert any(covers(text.split("/"), list(path), folder=folder) for text in rule.paths)
        explained = engine.explain("root", carries, action, Path(path), folder)
        assert (expected, expected) == (allowed, explained.allowed)
        effects = reference.effects(action, path, folder=folder)
        assert (explained.rule is None) == (effects == set())
        assert explained.rule is None or explained.rule.effect is (Effect.ALLOW if expected else Effect.DENY)


@settings(max_examples=500, deadline=None)
@given(policy_sets, carried, st.sampled_from([Action.LIST, Action.READ]), paths)
def test_every_visible_name_is_the_reference_s(
    policies: tuple[Policy, ...], carries: tuple[str, ...], action: Action, folder: tuple[str, ...]
) -> None:
    """One compiled answer for a folder shows exactly the names that asking one by one would show."""
    reference = Reference(policies, carries)
    visible = engine_of(policies).visible(somebody(carries), action, Path(folder))
    names = [(name, is_folder) for name in SEGMENTS for is_folder in (False, True)]
    shown = [visible.matches(name, is_folder) for name, is_folder in names]
    assert [reference.shows(action, folder, name, is_folder=is_folder) for name, is_folder in names] == shown
    assert visible.extent.value != "all" or all(shown)
    assert visible.extent.value != "none" or not any(shown)


@settings(max_examples=150, deadline=None)
@given(policy_sets, carried, st.lists(paths.filter(bool), min_size=1, max_size=4))
def test_every_capability_is_the_reference_s(
    policies: tuple[Policy, ...], carries: tuple[str, ...], questions: list[tuple[str, ...]]
) -> None:
    """Capabilities are what ``require`` would allow; ``list`` of the folder, the others of the secret."""
    reference = Reference(policies, carries)
    expected = {
        "/".join(path): {a for a in Action if reference.allows(a, path, folder=a is Action.LIST)} for path in questions
    }
    found = engine_of(policies).capabilities(somebody(carries), [Path(path) for path in questions])
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
            engine.require(who, ask(action, path.segments, folder=False))
        except PermissionDenied:
            assert denied
        else:
            assert not denied
