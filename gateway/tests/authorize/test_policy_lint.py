"""Lint: each finding is proven by asking every question of a small world."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from pathlib import Path as FilePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize import BUILT_IN
from wardgate.pipeline.authorize.lint import Kind, lint
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.pipeline.authorize.policy_tests import load_policy
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule

EXAMPLES = FilePath(__file__).parents[3] / "policies" / "examples"
SEGMENTS = ("a", "ab", "b", "bab", "sys", "policies")
TARGETS = [
    Target(path, folder)
    for length in range(4)
    for path in itertools.product(SEGMENTS, repeat=length)
    for folder in (False, True)
    if path or folder
]
PARTS = ("a", "b", "ab", "*", "a*", "*b", "b*b", "a*b", "sys", "policies")
ACTIONS = ("read", "list", "manage")
WHENS = ("", 'label.x == "1"', "has(label.y)", 'action == "read"', 'action == "list" and has(label.y)')

parsed = cache(Pattern.parse)

patterns = st.builds(
    lambda parts, rest: "/".join([*parts, "**"] if rest or not parts else parts),
    st.lists(st.sampled_from(PARTS), max_size=3),
    st.booleans(),
)
rules = st.builds(
    Rule, st.sampled_from(Effect),
    st.one_of(st.just(("*",)), st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2).map(tuple)),
    st.lists(patterns, min_size=1, max_size=2).map(tuple), st.sampled_from(WHENS),
)  # fmt: skip


def holds(when: str, action: str, x: bool, y: bool) -> bool:  # noqa: FBT001  # two labels of a small world
    """These conditions, by hand, in a world where each label is there or not; ``x`` of the right value."""
    return {
        "": True, 'label.x == "1"': x, "has(label.y)": y, 'action == "read"': action == "read",
        'action == "list" and has(label.y)': action == "list" and y,
    }[when]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(patterns, patterns)
def test_a_pattern_contains_another_exactly_where_every_target_says_so(outer: str, inner: str) -> None:
    """Containment is never claimed wrongly, and overlap never missed; in this alphabet containment is never missed."""
    one, other = parsed(outer), parsed(inner)
    covered = [target for target in TARGETS if other.matches(target)]
    if one.contains(other):
        assert all(one.matches(target) for target in covered)
    if any(one.matches(target) for target in covered if not target.folder):
        assert one.overlaps(other)
    if one.overlaps(other):
        assert other.overlaps(one)
    if one.contains(other) and any(not target.folder for target in covered):
        assert one.overlaps(other)


@pytest.mark.parametrize(
    ("outer", "inner", "contains", "overlaps"),
    [
        ("a/**", "a/b", True, True),
        ("a/**", "a", False, False),
        ("a/**", "a/**", True, True),
        ("a/b/**", "a/**", False, True),
        ("**", "a", True, True),
        ("*", "a*", True, True),
        ("a*", "*", False, True),
        ("a*b", "ab*b", True, True),
        ("a*b", "ab*bb", True, True),
        ("a*b", "a*c", False, False),
        ("a*", "*b", False, True),
        ("a", "a*", False, True),
        ("*/b", "a/**", False, True),
        ("*/b", "a/c", False, False),
        ("a/*", "a/b/**", False, False),
    ],
)
def test_containment_and_overlap(outer: str, inner: str, contains: bool, overlaps: bool) -> None:  # noqa: FBT001  # columns of the table
    """Each kind of pair."""
    one, other = parsed(outer), parsed(inner)
    assert (contains, overlaps, overlaps) == (one.contains(other), one.overlaps(other), other.overlaps(one))


def effects(given_rules: Sequence[Rule], action: str, target: Target, x: bool, y: bool) -> set[Effect]:  # noqa: FBT001  # as above
    return {
        rule.effect
        for rule in given_rules
        if (action in rule.actions or rule.actions == ("*",))
        and holds(rule.when, action, x, y)
        and any(parsed(text).matches(target) for text in rule.paths)
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(rules, min_size=1, max_size=5))
def test_idle_rules_can_be_taken_out_and_no_decision_changes(given_rules: list[Rule]) -> None:
    """All that are unreachable or shadowed, all at once."""
    findings = lint(Policy("p", tuple(given_rules)))
    idle = {finding.rule for finding in findings if finding.kind is not Kind.OVER_BROAD}
    left = [rule for number, rule in enumerate(given_rules, start=1) if number not in idle]
    if not idle:
        return
    for target in TARGETS:
        live = [rule for rule in given_rules if any(parsed(text).matches(target) for text in rule.paths)]
        kept = [rule for rule in live if rule in left]
        for action, x, y in itertools.product(ACTIONS, (False, True), (False, True)):
            before, after = ({Effect.ALLOW} == effects(some, action, target, x, y) for some in (live, kept))
            assert before == after


@settings(max_examples=60, deadline=None)
@given(st.lists(rules, min_size=1, max_size=4))
def test_an_unreachable_allow_never_decides(given_rules: list[Rule]) -> None:
    """Nothing that it covers is ever allowed while it applies, whatever else the policy says."""
    for finding in lint(Policy("p", tuple(given_rules))):
        rule = given_rules[finding.rule - 1]
        if finding.kind is not Kind.UNREACHABLE:
            continue
        for target, action, x, y in itertools.product(TARGETS[:300], ACTIONS, (False, True), (False, True)):
            if effects([rule], action, target, x, y):
                assert Effect.DENY in effects(given_rules, action, target, x, y)


def rule(effect: str, actions: str, paths: str, when: str = "") -> Rule:
    return Rule(Effect(effect), tuple(actions.split()), tuple(paths.split()), when)


DENY = rule("deny", "read", "a/*")
LABELLED = rule("allow", "read", "a/b", "has(label.x)")


@pytest.mark.parametrize(
    ("given_rules", "expected"),
    [
        ([rule("allow", "read", "a/**"), rule("allow", "read", "a/b")], [(2, "shadowed", (1,))]),
        ([rule("allow", "read", "a/b"), rule("allow", "read list", "a/**")], [(1, "shadowed", (2,))]),
        ([rule("allow", "read", "a/b"), rule("allow", "read", "a/b")], [(2, "shadowed", (1,))]),
        ([rule("allow", "read", "a/**"), rule("allow", "read", "a/b", "has(label.x)")], [(2, "shadowed", (1,))]),
        ([rule("allow", "read", "a/**", "has(label.x)"), rule("allow", "read", "a/b")], []),
        ([rule("deny", "*", "a/**"), rule("allow", "read", "a/b")], [(2, "unreachable", (1,))]),
        ([rule("allow", "read", "a/b c"), DENY, rule("allow", "read", "c")], [(3, "shadowed", (1,))]),
        ([rule("allow", "read", "a/b c"), DENY, rule("allow", "read", "c*")], [(1, "shadowed", (2, 3))]),
        ([rule("deny", "*", "a/**", "has(label.x)"), rule("allow", "read", "a/b")], []),
        ([rule("deny", "*", "a/**", "has(label.x)"), LABELLED], [(2, "unreachable", (1,))]),
        ([rule("allow", "read", "a/b", 'action == "write"')], [(1, "unreachable", ())]),
        ([rule("deny", "read", "a/**"), rule("deny", "read", "a/b")], [(2, "shadowed", (1,))]),
        ([rule("allow", "read", "a/**"), rule("deny", "read", "a/b")], []),
        ([rule("allow", "*", "**")], [(1, "over-broad", ())]),
        ([rule("allow", "read", "**")], [(1, "over-broad", ())]),
        ([rule("allow", "read", "*/app")], [(1, "over-broad", ())]),
        ([rule("allow", "list describe", "**")], []),
        ([rule("allow", "read", "team-*/**")], []),
        ([rule("allow", "*", "**", 'source in "10.0.0.0/8"')], []),
        ([rule("deny", "*", "**")], []),
        ([rule("allow", "manage", "sys/policies/team-*")], [(1, "over-broad", ())]),
        ([rule("allow", "*", "auth/**")], [(1, "over-broad", ())]),
        ([rule("allow", "manage", "sys/labels/secret/**")], [(1, "over-broad", ())]),
        ([rule("allow", "manage", "auth/ci/**")], [(1, "over-broad", ())]),
        ([rule("allow", "manage", "auth/*/role/web")], [(1, "over-broad", ())]),
        ([rule("allow", "manage", "auth/token/** sys/auth/**")], []),
        ([rule("allow", "manage", "sys/mounts/**")], []),
    ],
)  # fmt: skip
def test_findings(given_rules: list[Rule], expected: list[tuple[int, str, tuple[int, ...]]]) -> None:
    """Each kind, and what is just not one."""
    findings = lint(Policy("p", tuple(given_rules)))
    assert expected == [(finding.rule, finding.kind.value, finding.by) for finding in findings]
    assert all(finding.message and finding.policy == "p" for finding in findings)


def test_the_examples_have_no_findings_and_the_administrator_is_as_broad_as_it_is() -> None:
    """What we show is what we advise."""
    examples = [file for file in sorted(EXAMPLES.glob("*.toml")) if not file.name.endswith(".test.toml")]
    assert [] == [finding for file in examples for finding in lint(load_policy(file))]
    assert [[], [Kind.OVER_BROAD]] == [[finding.kind for finding in lint(policy)] for policy in BUILT_IN.values()]


def test_a_policy_that_cannot_be_kept_is_refused() -> None:
    """As the gateway would."""
    with pytest.raises(InvalidValue, match="unknown attribute"):
        lint(Policy("p", (rule("allow", "read", "a", "nobody == 'x'"),)))
