"""The policy document: strict, and the same both ways."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.policy_document import dump_policy, parse_policy

RULE = {"effect": "allow", "actions": ["read"], "paths": ["secret/**"]}
texts = st.lists(st.text(max_size=9), max_size=3).map(tuple)
policies = st.builds(
    Policy,
    st.text(min_size=1, max_size=9),
    st.lists(st.builds(Rule, st.sampled_from(Effect), texts, texts, st.text(max_size=5)), max_size=3).map(tuple),
)


@given(policies)
def test_what_is_dumped_is_read_back_equal(policy: Policy) -> None:
    """Through JSON too."""
    assert policy == parse_policy(json.loads(json.dumps(dump_policy(policy))))


def test_toml_and_json_are_one_structure() -> None:
    """A file and an API's body give the same policy."""
    written = 'name = "p"\n[[rules]]\neffect = "allow"\nactions = ["read"]\npaths = ["secret/**"]\n'
    assert parse_policy({"name": "p", "rules": [RULE]}) == parse_policy(tomllib.loads(written))


def test_a_name_known_already_need_not_stand_in_the_document() -> None:
    """But another name there is refused: which one was meant?"""
    assert Policy("p", ()) == parse_policy({"rules": []}, name="p")
    with pytest.raises(InvalidValue, match="let both agree"):
        parse_policy({"name": "q"}, name="p")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "'name' must be text"),
        ({"name": 1}, "'name' must be text"),
        ({"name": "p", "rule": []}, r"unknown key 'rule'; did you mean 'rules'\?"),
        ({"name": "p", "rules": {}}, "'rules' must be a list"),
        ({"name": "p", "rules": [1]}, "rule 1: it must be a table"),
        ({"name": "p", "rules": [RULE, {**RULE, "path": []}]}, r"rule 2: unknown key 'path'; did you mean 'paths'\?"),
        ({"name": "p", "rules": [{"effect": "allow", "actions": []}]}, "'paths' is missing"),
        ({"name": "p", "rules": [{**RULE, "effect": "Allow"}]}, "'effect' must be 'allow' or 'deny'"),
        ({"name": "p", "rules": [{**RULE, "effect": ["allow"]}]}, "'effect' must be 'allow' or 'deny'"),
        ({"name": "p", "rules": [{**RULE, "paths": "secret/**"}]}, "'paths' must be a list of texts"),
        ({"name": "p", "rules": [{**RULE, "actions": [1]}]}, "'actions' must be a list of texts"),
        ({"name": "p", "rules": [{**RULE, "when": True}]}, "'when' must be text"),
        ([], "it must be a table"),
    ],
)
def test_a_wrong_document_is_refused_with_what_to_change(document: Any, message: str) -> None:
    """A key nobody knows must not silently mean nothing."""
    with pytest.raises(InvalidValue, match=message):
        parse_policy(document)
