"""``label``, ``policy lint`` and the facts of ``policy explain``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path as FilePath

import pytest
from click.testing import Result
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.labels import (
    ChangeLabels,
    Labelled,
    LabelsInfo,
    LabelsPage,
    ListLabels,
    ReadLabels,
    RemoveLabels,
)
from wardgate.spi.operations.policies import (
    Considered,
    Effect,
    ExplainPolicy,
    Explanation,
    ListPolicies,
    Policy,
    ReadPolicy,
    Rule,
    Supposed,
)
from wardgate.spi.path import Path

from tests.support.scripted import Scripted

Run = Callable[..., Result]
TEAM = Path(("secret", "team"))
AT = Path(("sys", "labels", "secret", "team"))
INFO = LabelsInfo(TEAM, {"env": "test"}, {"env": ("test", TEAM), "owner": ("ann", Path(("secret",)))})
BROAD = Rule(Effect.ALLOW, ("*",), ("**",))
IDLE = 'name = "p"\n' + '[[rules]]\neffect = "allow"\nactions = ["read"]\npaths = ["a/b"]\n' * 2


@pytest.fixture(autouse=True)
def script(gateway: Scripted) -> None:
    gateway.answers |= {
        ListLabels: LabelsPage((Labelled(TEAM, {"env": "test", "a": "b"}),)),
        ReadLabels: INFO, ChangeLabels: INFO, RemoveLabels: None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "asked", "stdout"),
    [
        ("label list", ListLabels(), "secret/team\ta=b env=test\n"),
        ("label list secret/team/", ReadLabels(path=AT), "env\ttest\tsecret/team\nowner\tann\tsecret\n"),
        ("label set secret/team env=test b=c=d", ChangeLabels(path=AT, changes={"env": "test", "b": "c=d"}), ""),
    ],
)
def test_each_command_asks_for_one_operation(
    gateway: Scripted, run: Run, command: str, asked: object, stdout: str
) -> None:
    """And prints plain lines into a pipe."""
    result = run(*command.split())
    assert (0, stdout, [asked]) == (result.exit_code, result.stdout, gateway.asked)


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("label remove secret/team env --yes", ChangeLabels(path=AT, changes={"env": None})),
        ("label remove secret/team --yes", RemoveLabels(path=AT)),
    ],
)
def test_what_is_removed_is_looked_at_first(gateway: Scripted, run: Run, command: str, asked: object) -> None:
    """Where that is allowed; who may only change labels goes on without."""
    assert 0 == run(*command.split()).exit_code
    gateway.answers[ReadLabels] = PermissionDenied("not yours")
    assert 0 == run(*command.split()).exit_code
    assert [ReadLabels(path=AT), asked] * 2 == gateway.asked


def test_removing_a_label_that_is_not_there_is_told(gateway: Scripted, run: Run) -> None:
    """One that is set further up too: it goes on holding."""
    result = run("label", "remove", "secret/team", "owner", "--yes")
    assert (3, True) == (result.exit_code, "secret/team has no label 'owner' of its own" in result.stderr)
    gateway.answers[ReadLabels] = LabelsInfo(TEAM, {}, {})
    assert 3 == run("label", "remove", "secret/team", "--yes").exit_code
    assert [ReadLabels(path=AT)] * 2 == gateway.asked


def test_all_pages_are_listed(gateway: Scripted, run: Run) -> None:
    """One after the other."""
    pages = [
        LabelsPage((Labelled(Path((name,)), {"x": "1"}),), after) for name, after in (("a", Path(("a",))), ("b", None))
    ]
    gateway.answers[ListLabels] = lambda: pages[len(gateway.asked) - 1]
    assert "a\tx=1\nb\tx=1\n" == run("label", "list").stdout
    assert [ListLabels(), ListLabels(after=Path(("a",)))] == gateway.asked


@pytest.mark.parametrize("command", ["label set a x", "label set a =x", "label set a x=1 x=2", "label set a"])
def test_a_label_is_a_name_and_a_text(gateway: Scripted, run: Run, command: str) -> None:
    """Nothing is sent otherwise."""
    assert (2, []) == (run(*command.split()).exit_code, gateway.asked)


@pytest.mark.parametrize(
    "command", ["label list", "label list a", "label set a x=1", "label remove a env --yes", "label remove a --yes"]
)
def test_json_is_one_document(run: Run, command: str) -> None:
    """On every command."""
    result = run(*command.split(), "--json")
    assert (0, "") == (result.exit_code, result.stderr)
    assert json.loads(result.stdout)


def test_explain_supposes_facts_and_shows_what_conditions_turned_on(gateway: Scripted, run: Run) -> None:
    """A line for each rule with a condition."""
    rule = Rule(Effect.ALLOW, ("read",), ("secret/**",), "has(label.x)\n  and has(label.y)\n")
    considered = (Considered("p", 2, rule, False, False, {"label.x": None, "source": "10.0.0.1"}),)  # noqa: FBT003  # as the dataclass has it
    gateway.answers[ExplainPolicy] = Explanation(False, None, None, 1, None, considered)  # noqa: FBT003  # as above
    result = run(
        "policy", "explain", "read", "a", "--policy", "p", "--source", "10.0.0.1",
        "--time", "2026-11-23T10:00:00+01:00", "--role", "web", "--name", "n", "--id", "i", "--method", "key",
        "--attribute", "team=a", "--label", "x=1",
    )  # fmt: skip
    supposed = Supposed(
        id="i", name="n", method="key", attributes={"team": "a", "role": "web"}, source="10.0.0.1",
        time=1_795_424_400 * 10**9, labels={"x": "1"},
    )  # fmt: skip
    assert [
        ExplainPolicy(policies=("p",), asked_action=Action.READ, asked_path=Path(("a",)), supposed=supposed)
    ] == gateway.asked
    assert (
        "denied: no rule allows it\n"
        "  rule 2 of p (allow) does not apply: has(label.x) and has(label.y) is false; "
        "label.x is missing, source is '10.0.0.1'\n"
    ) == result.stdout


def test_lint_reads_documents_without_a_gateway(gateway: Scripted, run: Run, tmp_path: FilePath) -> None:
    """A finding ends it in 1; it names policy, rule, kind and why."""
    file = tmp_path / "p.toml"
    file.write_text(IDLE)
    result = run("policy", "lint", str(file), env={"WARDGATE_TOKEN": None})
    assert (1, []) == (result.exit_code, gateway.asked)
    assert "p, rule 2: shadowed: rule 1 covers all that rule 2 does; without it nothing changes" in result.stdout
    told = json.loads(run("policy", "lint", str(file), "--json").stdout)
    assert (1, [2], [[1]]) == (
        told["policies"], [one["rule"] for one in told["findings"]], [one["by"] for one in told["findings"]],
    )  # fmt: skip
    file.write_text('{"name": "p", "rules": [{"effect": "deny", "actions": ["*"], "paths": ["a"]}]}')
    assert (0, "1 policy, 0 findings\n") == (
        run("policy", "lint", str(file)).exit_code,
        run("policy", "lint", str(file)).stdout,
    )


def test_lint_without_a_file_reads_the_namespace_s_policies(gateway: Scripted, run: Run) -> None:
    """But for the built-in ones, which nobody can change."""
    kept = {"mine": Policy("mine", (BROAD,)), "default": Policy("default", (BROAD,), built_in=True)}

    def read() -> Policy:
        asked = gateway.asked[-1]
        assert isinstance(asked, ReadPolicy)
        return kept[asked.path.segments[-1]]

    gateway.answers |= {ListPolicies: tuple(kept), ReadPolicy: read}
    result = run("policy", "lint")
    assert 1 == result.exit_code
    assert result.stdout.startswith("mine, rule 1: over-broad: ")
    assert result.stdout.endswith("1 policy, 1 finding\n")


def test_lint_refuses_what_a_gateway_would(run: Run, tmp_path: FilePath) -> None:
    """With the place."""
    file = tmp_path / "p.toml"
    file.write_text(IDLE + "when = 'nobody.name == 1'\n")
    result = run("policy", "lint", str(file))
    assert 2 == result.exit_code
    assert "policy 'p', rule 2, when: at character 1: unknown attribute 'nobody.name'" in result.stderr
