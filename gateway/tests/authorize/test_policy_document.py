"""The policy document: strict, and one structure in every form."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.policy_document import parse_policy

RULE = {"effect": "allow", "actions": ["read"], "paths": ["secret/**"]}


def test_toml_and_json_are_one_structure() -> None:
    """A file and an API's body give the same policy, with all that stands in it."""
    written = 'name = "p"\n[[rules]]\neffect = "deny"\nactions = ["read"]\npaths = ["secret/**"]\nwhen = "c"\n'
    policy = Policy("p", (Rule(Effect.DENY, ("read",), ("secret/**",), "c"),))
    assert policy == parse_policy(tomllib.loads(written))
    assert policy == parse_policy({"name": "p", "rules": [{**RULE, "effect": "deny", "when": "c"}]})


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
