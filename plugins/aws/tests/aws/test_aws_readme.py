"""The README is held to the code: the rights it grants, the options it explains."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wardgate.spi.options import describe
from wardgate_aws import probing
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER

README = (Path(__file__).parents[2] / "README.md").read_text()
POLICIES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", README, re.DOTALL)]


def granted(policy: Any) -> list[str]:
    """The actions that a policy allows."""
    found: list[str] = []
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        found += [actions] if isinstance(actions, str) else actions
    return sorted(found)


def asked(questions: Iterable[probing.Question]) -> list[str]:
    """The actions that a probe asks about."""
    return sorted(question.action for question in questions)


def test_each_policy_grants_what_the_probe_asks_about() -> None:
    """All of it, and nothing more."""
    secrets_manager, parameter_store = POLICIES
    assert asked(probing.SECRETS_MANAGER) == granted(secrets_manager)
    assert asked([*probing.PARAMETER_STORE, *probing.ENCRYPTING.values()]) == granted(parameter_store)


def test_what_is_not_listing_is_granted_for_one_s_own_names() -> None:
    """Only listing has to be for everything."""
    for policy in POLICIES:
        for statement in policy["Statement"]:
            listing = statement["Action"] in ("secretsmanager:ListSecrets", "ssm:DescribeParameters")
            assert (statement["Resource"] == "*") is listing


def test_every_option_is_explained() -> None:
    """And none that there is not."""
    table = README.partition("## Options")[2].partition("## Rights")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert explained == {
        option.name for kind in (SECRETS_MANAGER, PARAMETER_STORE) for option in describe(kind.options)
    }


def test_every_capability_that_needs_a_right_has_one() -> None:
    """So that a probe can say what fails without it."""
    for kind, questions in ((SECRETS_MANAGER, probing.SECRETS_MANAGER), (PARAMETER_STORE, probing.PARAMETER_STORE)):
        declared = kind.declarations[0].capabilities
        needed = {name for question in questions for name in question.needed_for}
        for name in needed - {"read"}:
            assert getattr(declared, name), name
        for name in ("write", "list", "describe", "labels", "delete", "stages"):
            assert name in needed
