"""Conditions as they are written: what is refused, with which words, and how large one may be."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.pipeline.authorize import validate
from wardgate.pipeline.authorize.conditions import compile_condition
from wardgate.pipeline.authorize.conditions.attributes import FAMILIES, PLAIN
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule

REFUSED = [
    ("", "at character 1: the condition ends"),
    ("true", "at character 5: the condition ends where an operator was expected"),
    ("principal.nme == 'a'", r"at character 1: unknown attribute 'principal.nme'; did you mean 'principal.name'\?"),
    ("lable.env == 'a'", r"unknown attribute 'lable.env'; did you mean 'label.NAME'\?"),
    ("principal.attribute == 'a'", r"did you mean 'principal.attribute.NAME'\?"),
    ("principal.__class__ == 'a'", "unknown attribute"),
    ("label.env.x.__init__.__globals__ like 'a' and os.system == 'a'", "at character 47: unknown attribute"),
    ("path.segment.0 == 'a'", "path.segment ends in a number from 1 to 32"),
    ("path.segment.33 == 'a'", "path.segment ends in a number from 1 to 32"),
    ("path.segment['a'] == 'a'", "path.segment ends in a number"),
    ("path['x'] == 'a'", "unknown attribute"),
    ("principal.name = 'a'", r"at character 16: '=' means nothing here; did you mean '=='\?"),
    ("principal.name is 'a'", r"at character 16: 'is' is no operator"),
    ("principal.name startwith 'a'", r"'startwith' is no operator; did you mean 'startswith'\?"),
    ("principal.name == 'a' principal.id == 'b'", "at character 23: 'principal.id' stands where 'and'"),
    ("principal.name == 'a' and", "at character 26: the condition ends where an attribute"),
    ("(principal.name == 'a'", r"the condition ends where '\)' was expected"),
    ("principal.name == 'a", "at character 19: the text has no end"),
    ("principal.name == 'a\\n'", "a backslash stands before a quote or another backslash only"),
    ("principal.name == 'a\n'", "the text has a control character"),
    ("principal.name == 1", "at character 19: a text in quotes was expected"),
    ("principal.name == ['a']", "at character 19: a text in quotes was expected"),
    ("principal.name < 'a'", "principal.name is a text, of which '<' cannot be asked; there are: ==, in"),
    ("principal.name in [1]", "a text in quotes was expected"),
    ("principal.name in []", "a text in quotes was expected"),
    ("principal.name not == 'a'", "'==' is no operator"),
    ("principal.name like 'a**'", "has more than one star"),
    ("principal.name like '**/a'", r"'\*\*' can stand at the end only"),
    ("path like 'a//b'", "empty segment"),
    ("path == 'a/../b'", "'.' or '..' segment"),
    ("path < 'a'", "path is a path, of which '<' cannot be asked; there are: ==, like"),
    ("path.depth == '3'", "a number was expected"),
    ("path.depth like '3'", "path.depth is a number"),
    ("action == 'reed'", r"unknown action 'reed'; did you mean 'read'\?"),
    ("source in '10.0.0.1/8'", "no network; no bit may be set after its length"),
    ("source == 'localhost'", "no network; write it as 10.0.0.0/8"),
    ("source like '10.*'", "source is a network address, of which 'like' cannot be asked; there are: ==, in"),
    ("source == principal.name", "source is a network address and principal.name a text"),
    ("label.a < label.b", "two attributes are compared with '==' or '!='"),
    ("label.a in label.b", "label.b is a text; 'in' asks of a list"),
    ("path in principal.policies", "path is a path; principal.policies holds texts"),
    ("1 in principal.policies", "a text in quotes was expected"),
    ("principal.policies == 'a'", "principal.policies is a list of texts, of which '==' cannot be asked"),
    ("'a' like principal.name", "the attribute stands left of 'like'"),
    ("'a' == 'a'", "neither side is an attribute"),
    ("time == '2026-01-01T00:00:00Z'", "time is a time, of which '==' cannot be asked; there are: in, <, <=, >, >="),
    ("time < '2026-01-01'", "write it with its offset"),
    ("time < '2026-01-01T00:00:00'", "write it with its offset"),
    ("time in '08:00-18:00'", "a window of time was expected"),
    ("time in hours('08:00-18:00')", "hours takes two texts, the time zone last"),
    ("time in hours('8:00-18:00', 'UTC')", "are no hours; write them so"),
    ("time in hours('08:00-24:30', 'UTC')", "are no hours"),
    ("time in hours('08:00-08:00', 'UTC')", "begin and end at once"),
    ("time in hours('08:00-18:00', 'Europe/Berln')", r"did you mean 'Europe/Berlin'\?"),
    ("time in hours('08:00-18:00', '../../etc/passwd')", "unknown time zone"),
    ("time in hours('08:00-18:00', '/etc/localtime')", "unknown time zone"),
    ("time in weekdays('mon-fry', 'UTC')", r"'fry' is no day of the week; did you mean 'fri'\?"),
    ("time in dates('2026-02-30', 'UTC')", "is no date"),
    ("time in dates('2026-03-01/2026-02-01', 'UTC')", "end before they begin"),
    ("time in dates('/', 'UTC')", "end before they begin"),
    ("time in our('08:00-18:00', 'UTC')", r"unknown window 'our'; did you mean 'hours'\?"),
    ("source in hours('08:00-18:00', 'UTC')", "a text in quotes was expected"),
    ("has('a')", "an attribute was expected"),
    ("has(label)", r"did you mean 'label.NAME'\?"),
    ("label['" + "x" * 129 + "'] == 'a'", "at most 128 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:40] for text, _ in REFUSED])
def test_what_makes_no_sense_is_refused_with_its_place(text: str, message: str) -> None:
    """The sentence names the character and the nearest right word."""
    with pytest.raises(InvalidValue, match=message):
        compile_condition(text)


def test_a_refusal_names_policy_and_rule() -> None:
    """As it reaches whoever writes the policy."""
    good = Rule(Effect.ALLOW, ("read",), ("a",), "has(label.x)")
    bad = Rule(Effect.DENY, ("read",), ("a",), "label.x == 1")
    with pytest.raises(InvalidValue, match="policy 'p', rule 2, when: at character 12: a text in quotes was expected"):
        validate(Policy("p", (good, bad)))


@pytest.mark.parametrize(
    ("least", "message"),
    [
        (" or ".join(["has(label.x)"] * 65), "more than 64 tests"),
        ("(" * 17 + "has(label.x)" + ")" * 17, "nested more than 16 deep"),
        ("not " * 17 + "has(label.x)", "nested more than 16 deep"),
        ("label.x in [" + ", ".join(["'a'"] * 65) + "]", "more than 64 texts"),
        ("label.x == '" + "a" * 2_000 + "'", "more than 2000 characters"),
    ],
)
def test_a_condition_is_bounded(least: str, message: str) -> None:
    """In length, depth, tests and lists; one less of each is taken."""
    with pytest.raises(InvalidValue, match=message):
        compile_condition(least)


@pytest.mark.parametrize(
    "most",
    [
        " or ".join(["has(label.x)"] * 64),
        "(" * 16 + "has(label.x)" + ")" * 16,
        "not " * 16 + "has(label.x)",
        "label.x in [" + ", ".join(["'a'"] * 64) + "]",
        "label.x == '" + "a" * 1_987 + "'",
    ],
)
def test_the_most_there_may_be_is_taken(most: str) -> None:
    """The bounds are where they are said to be."""
    assert most == compile_condition(most).text


@given(st.text(alphabet="abz.'\"\\()[]=<>!, \n0 1*/andornoti", max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    """Nothing else comes out: no other error, no endless reading."""
    with contextlib.suppress(InvalidValue):
        assert text == compile_condition(text).text


def test_every_attribute_of_the_page_is_one() -> None:
    """The names that a message offers can be written."""
    for name in (*PLAIN, *(family.replace("NAME", "x").replace("N", "1") for family in FAMILIES)):
        assert (name,) == tuple(attribute.name for attribute in compile_condition(f"has({name})").reads)


def test_a_name_in_brackets_is_any_text() -> None:
    """For attributes whose names are not words."""
    condition = compile_condition('principal.attribute["https://claims/x y"] == label["a.b"]')
    assert ["principal.attribute.https://claims/x y", "label.a.b"] == [each.name for each in condition.reads]
