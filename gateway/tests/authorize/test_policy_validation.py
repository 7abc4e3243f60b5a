"""What a written policy must be, one refusal each."""

from __future__ import annotations

import pytest
from wardgate.pipeline.authorize import BUILT_IN, validate
from wardgate.pipeline.authorize.compiled import Compiled
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule

ALLOW = Rule(Effect.ALLOW, ("read",), ("secret/**",))


def test_a_good_policy_passes() -> None:
    """Names of every allowed letter, all actions, each kind of pattern."""
    rules = (ALLOW, Rule(Effect.DENY, ("*",), ("a/*/b", "team-*/**", "**")))
    for name in ("a", "0", "a-b_c", "x" * 63, "defaults", "rooted"):
        validate(Policy(name, rules))


@pytest.mark.parametrize(
    "name",
    [
        "default", "Default", "DEFAULT", "administrator", "Administrator", "root", "Root", "ROOT", " root", "root ",
        "root\n", "\uff52oot", "roo\u1d40", "administrator\t",
    ],
)  # fmt: skip
def test_a_reserved_name_is_refused_in_any_spelling(name: str) -> None:
    """Canonicalised before the check, and kept as written after it, so nothing is canonicalised away later."""
    with pytest.raises(InvalidValue, match="is reserved"):
        validate(Policy(name, (ALLOW,)))


@pytest.mark.parametrize(
    "name", ["", "A", "a b", "a/b", "../a", "-a", "_a", "a.b", "a\n", "\u00e9", "x" * 64, "*", "a,b", "a\x00b", "%61"]
)
def test_a_name_outside_the_grammar_is_refused(name: str) -> None:
    """Names are small ASCII letters, digits, dashes and underscores; nothing is corrected for the caller."""
    with pytest.raises(InvalidValue):
        validate(Policy(name, (ALLOW,)))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule(Effect.ALLOW, ("raed",), ("a",)), r"rule 2: unknown action 'raed'; did you mean 'read'\?"),
        (Rule(Effect.ALLOW, ("Read",), ("a",)), r"rule 2: unknown action 'Read'"),
        (Rule(Effect.ALLOW, ("*", "read"), ("a",)), r"rule 2: '\*' is all actions"),
        (Rule(Effect.ALLOW, (), ("a",)), r"rule 2: name at least one action"),
        (Rule(Effect.ALLOW, ("read",), ()), r"rule 2: name at least one path"),
        (Rule(Effect.ALLOW, ("read",), ("a/**/b",)), r"rule 2: pattern 'a/\*\*/b': '\*\*' can stand at the end only"),
        (Rule(Effect.ALLOW, ("read",), ("a/",)), r"rule 2: pattern 'a/': leave out the slash"),
        (Rule(Effect.ALLOW, ("read",), ("a",), "true"), "rule 2, when: at character 5: the condition ends"),
    ],
)
def test_a_bad_rule_is_refused_with_what_to_change(rule: Rule, message: str) -> None:
    """The message names the policy, the rule's number and the mend."""
    with pytest.raises(InvalidValue, match=f"policy 'p', {message}"):
        validate(Policy("p", (ALLOW, rule)))


@pytest.mark.parametrize(
    "policy",
    [
        Policy("p", ()),
        Policy("p", (ALLOW,) * 251),
        Policy("p", (Rule(Effect.ALLOW, ("read",), ("a",) * 501),) * 2),
        Policy("p", (ALLOW,), built_in=True),
    ],
    ids=["empty", "rules", "paths", "built-in"],
)
def test_a_policy_outside_its_limits_is_refused(policy: Policy) -> None:
    """Nothing is unbounded, and nobody writes a built-in."""
    with pytest.raises(InvalidValue, match="policy 'p'"):
        validate(policy)


def test_the_policies_of_a_namespace_share_a_limit() -> None:
    """Replacing a policy does not count it twice."""
    full = Rule(Effect.ALLOW, ("read",), ("a",) * 1_000)
    beside = [Policy(f"p{i}", (full,)) for i in range(10)]
    validate(Policy("p0", (full,)), beside)
    with pytest.raises(InvalidValue, match="at most 10000 paths together"):
        validate(Policy("new", (ALLOW,)), beside)


def test_an_unchanged_policy_is_not_compiled_again() -> None:
    """A change costs what it changes, and every answer is the new set's all the same."""
    first = Compiled("root", (Policy("a", (ALLOW,)), Policy("b", (ALLOW,))))
    second = Compiled("root", (Policy("a", (ALLOW,)), Policy("b", (Rule(Effect.DENY, ("read",), ("x",)),))), first)
    rows = [
        {name: next(iter(compiled.reaching([name], "read", ()))) for name in ("a", "b")} for compiled in (first, second)
    ]
    assert rows[0]["a"] is rows[1]["a"]
    assert ("allow", "deny") == (rows[0]["b"].effect, rows[1]["b"].effect)
    assert first.generation != second.generation


def test_the_built_in_policies_would_pass_under_another_name() -> None:
    """They keep the rules everybody else's policies keep."""
    for policy in BUILT_IN.values():
        validate(Policy("copy", policy.rules))
    assert ("default", "administrator") == Compiled("root", ()).names
