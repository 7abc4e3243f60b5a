"""``mount add``: what is said of a mount that cannot be made, and that it helps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from wardgate.spi.errors import InvalidValue, PermissionDenied
from wardgate.spi.operations.mounts import CreateMount

from tests.support.scripted import Scripted

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("aws-secret-manager", "offers the type 'aws-secret-manager'; did you mean 'aws-secrets-manager'?"),
        ("aws", "'aws' is a plugin, and its types are aws-secrets-manager, aws-parameter-store"),
    ],
)
def test_a_mistyped_type_is_told_as_that(gateway: Scripted, run: Run, kind: str, says: str) -> None:
    """With what may be meant: before an option's secret is spoken of, and after the gateway knew no such type."""
    result = run("mount", "add", "a", "--type", kind, "--option", "region=eu-west-1")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert says in result.stderr
    assert "process list" not in result.stderr
    gateway.answers[CreateMount] = InvalidValue(f"unknown mount type {kind!r}")
    assert says in run("mount", "add", "a", "--type", kind).stderr


def test_a_type_whose_plugin_is_not_loaded_names_it(gateway: Scripted, run: Run) -> None:
    """And where the name goes."""
    gateway.answers[CreateMount] = InvalidValue("unknown mount type 'files'; there are: native, vault")
    told = run("mount", "add", "a", "--type", "files").stderr
    assert "The plugin 'files' offers it: name it in the gateway's configuration, plugins = […], and start" in told
    assert "`wardgate dev --plugin files`" in told


@pytest.mark.parametrize(("given", "ending"), [("True", "; write true or false"), ("x", ', such as 5 or ["a"]')])
def test_what_is_no_json_is_told_with_what_is(gateway: Scripted, run: Run, given: str, ending: str) -> None:
    """Python's words for truths are none of JSON's."""
    result = run("mount", "add", "a", "--type", "native", "--option", f"n:={given}")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert f"what follows n:= is not JSON{ending}" in result.stderr


LACKING = "the mount was not made: the mount's credential lacks these permissions"


@pytest.mark.parametrize("wrong", ["", " (all of them, so that it may be wrong)"])
@pytest.mark.parametrize(("check", "hint"), [("all", "--check reading asks for"), ("reading", "--check none asks for")])
def test_missing_permissions_stand_on_lines_of_their_own(
    gateway: Scripted, run: Run, wrong: str, check: str, hint: str
) -> None:
    """Each to be copied into a policy; it is a denial, with how to go on."""
    gateway.answers[CreateMount] = PermissionDenied(
        f"{LACKING}{wrong}: s:Put (for labels, write); s:List (for list); grant them, or ask for less: 'check' can be x"
    )
    result = run("mount", "add", "a", "--type", "native", "--check", check)
    assert 4 == result.exit_code
    lines = [f"Error: {LACKING}{wrong}:", "  s:Put (for labels, write)", "  s:List (for list)"]
    assert lines == result.stderr.splitlines()[:3]
    assert hint in result.stderr.splitlines()[3]
