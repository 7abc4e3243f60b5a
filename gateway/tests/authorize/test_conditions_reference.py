"""Conditions in the engine against a reference: any rules, asked by anybody, from anywhere, of anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize import Engine, Extent
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule, Supposed
from wardgate.spi.path import Path

SECOND = 10**9
MORNING = 1_763_971_200 * SECOND  # 2025-11-24T08:00:00Z, a Monday
OFFICE = 'time in hours("08:00-18:00", "UTC")'


@dataclass(frozen=True)
class Kept:
    """Labels by path, found as the reference finds them."""

    labelled: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
        value = label_of(self.labelled, segments)
        return {} if value is None else {"x": value}


def label_of(labelled: Mapping[tuple[str, ...], str], path: tuple[str, ...]) -> str | None:
    for length in range(len(path), 0, -1):
        if path[:length] in labelled:
            return labelled[path[:length]]
    return None


@dataclass
class State:
    """What is committed now: other labels are another object."""

    kept: Kept = field(default_factory=Kept)


def engine_of(given_rules: tuple[Rule, ...], state: State) -> Engine:
    written = SimpleNamespace(policies=(Policy("p", given_rules),))
    return Engine(lambda _: written, LocalEpochs(), lambda _: state.kept)


WHENS: dict[str, Any] = {
    "": lambda _: True,
    'source in "10.0.0.0/8"': lambda w: w.source.startswith("10."),
    'principal.role == "ci"': lambda w: None if w.role is None else w.role == "ci",
    'label.x == "1"': lambda w: None if w.label("x") is None else w.label("x") == "1",
    'not has(label.x) or label.x == "1"': lambda w: w.label("x") in {None, "1"},
    'path.segment.2 == "a" and source in "10.0.0.0/8"': lambda w: _and(
        None if len(w.path) < 2 else w.path[1] == "a", w.source.startswith("10.")
    ),
    'action == "read"': lambda w: w.action == "read",
    'action in ["list", "write"] and label.x == "1"': lambda w: _and(
        w.action in {"list", "write"}, None if w.label("x") is None else w.label("x") == "1"
    ),
    OFFICE: lambda w: 8 <= w.time // SECOND % 86_400 // 3_600 < 18,
}


def _and(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001  # the reference's own 'and'
    return False if False in {one, other} else None if None in {one, other} else True


@dataclass(frozen=True)
class Asked:
    """One question's facts."""

    source: str
    role: str | None
    time: int
    labels: Mapping[tuple[str, ...], str]
    path: tuple[str, ...] = ()
    action: str = ""

    def label(self, name: str) -> str | None:
        return label_of(self.labels, self.path) if name == "x" else None


NAMES = ("a", "b", "c")
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(tuple)
patterns = st.sampled_from(("**", "a/**", "a/b", "a/*", "*/b/**", "b/**", "a/b/**", "b/c"))
rules = st.builds(
    Rule, st.sampled_from(Effect), st.sampled_from((("read",), ("list",), ("*",))),
    st.lists(patterns, min_size=1, max_size=2).map(tuple), st.sampled_from(tuple(WHENS)),
)  # fmt: skip
facts = st.builds(
    Asked, st.sampled_from(("10.0.0.1", "192.0.2.1")), st.sampled_from((None, "ci", "cd")),
    st.sampled_from((MORNING, MORNING - 1, MORNING + 11 * 3_600 * SECOND)),
    st.dictionaries(paths, st.sampled_from(("1", "2")), max_size=3),
)  # fmt: skip


def covers(pattern: list[str], path: tuple[str, ...], *, folder: bool) -> bool:
    if pattern == ["**"]:
        return folder or bool(path)
    if not pattern or not path:
        return not pattern and not path
    return pattern[0] in {"*", path[0]} and covers(pattern[1:], path[1:], folder=folder)


def reaches(pattern: list[str], path: tuple[str, ...]) -> bool:
    if not path or pattern == ["**"]:
        return True
    return bool(pattern) and pattern[0] in {"*", path[0]} and reaches(pattern[1:], path[1:])


def applying(world: Asked, given: tuple[Rule, ...], action: str, path: tuple[str, ...]) -> Iterator[Rule]:
    """The rules of that action whose conditions let them apply at the path."""
    for rule in given:
        truth = WHENS[rule.when](replace(world, path=path, action=action))
        applies = truth is True or (truth is None and rule.effect is Effect.DENY)
        if applies and (action in rule.actions or rule.actions == ("*",)):
            yield rule


def decided(world: Asked, given: tuple[Rule, ...], action: str, path: tuple[str, ...], *, folder: bool) -> bool:
    effects = {
        rule.effect
        for rule in applying(world, given, action, path)
        if any(covers(text.split("/"), path, folder=folder) for text in rule.paths)
    }
    return effects == {Effect.ALLOW}


@cache
def kind_of(action: Action, *, folder: bool) -> Any:
    return type("Asked", (Operation,), {"action": action, "folder": folder, "__slots__": ()})


def principal_of(world: Asked) -> tuple[Principal, Arrival]:
    attributes = {} if world.role is None else {"role": world.role}
    who = Principal("p", "root", "n", "key", ("p",), "accessor", attributes=attributes)
    return who, Arrival("id", world.time, 0.0, world.source)


@settings(max_examples=250, deadline=None)
@given(
    st.lists(rules, min_size=1, max_size=5).map(tuple),
    st.lists(facts, min_size=1, max_size=3),
    st.lists(paths, min_size=1, max_size=3),
)
def test_every_decision_with_conditions_is_the_reference_s(
    given_rules: tuple[Rule, ...], worlds: list[Asked], asked: list[tuple[str, ...]]
) -> None:
    """Fresh or remembered, whoever asked before; Casbin, the capabilities and the explanation agree."""
    state = State()
    engine = engine_of(given_rules, state)
    for world in (*worlds, *worlds):
        state.kept = Kept(world.labels)
        who, arrival = principal_of(world)
        for path in asked:
            for action, folder in ((Action.READ, False), (Action.LIST, True)):
                expected = decided(world, given_rules, action.value, path, folder=folder)
                found = engine.decision(who, kind_of(action, folder=folder)(path=Path(path)), arrival)
                assert expected == (found is not None)
                assert expected == (action in engine.capabilities(who, [Path(path)], arrival)["/".join(path)])
                supposed = Supposed(attributes=who.attributes, source=world.source, time=world.time)
                why = engine.explain("root", ["p"], action, Path(path), folder=folder, supposed=supposed)
                assert expected == why.allowed


@settings(max_examples=250, deadline=None)
@given(
    st.lists(rules, min_size=1, max_size=5).map(tuple),
    st.lists(facts, min_size=1, max_size=2),
    st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
)
def test_every_visible_name_with_conditions_is_the_reference_s(
    given_rules: tuple[Rule, ...], worlds: list[Asked], folder: tuple[str, ...]
) -> None:
    """A name is shown only where an allow certainly applies to it and no deny may."""
    state = State()
    engine = engine_of(given_rules, state)
    for world in (*worlds, *worlds):
        state.kept = Kept(world.labels)
        who, arrival = principal_of(world)
        for action in (Action.LIST, Action.READ):
            visible = engine.visible(who, action, Path(folder), arrival)
            listed = action is Action.LIST and decided(world, given_rules, "list", folder, folder=True)
            for name, is_folder in ((name, is_folder) for name in NAMES for is_folder in (False, True)):
                child = (*folder, name)
                live = list(applying(world, given_rules, action.value, child))
                denied = any(
                    covers(text.split("/"), child, folder=is_folder)
                    for rule in live if rule.effect is Effect.DENY for text in rule.paths
                )  # fmt: skip
                reached = any(
                    reaches(text.split("/"), child) if is_folder else covers(text.split("/"), child, folder=False)
                    for rule in live if rule.effect is Effect.ALLOW for text in rule.paths
                )  # fmt: skip
                assert (not denied and (listed or reached)) == visible.matches(name, is_folder)
                assert not reached or denied or visible.could_reach(name) or not is_folder
            assert visible.extent is not Extent.ALL or all(
                visible.matches(name, is_folder) for name in NAMES for is_folder in (False, True)
            )
