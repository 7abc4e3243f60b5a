"""The endpoints of labels, and the facts that a question about policies supposes."""

from __future__ import annotations

from typing import Any

import pytest
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
from wardgate.spi.operations.policies import Considered, Effect, ExplainPolicy, Explanation, Rule, Supposed
from wardgate.spi.path import Path

from tests.support.scripted import Request, Scripted

TEAM = Path(("secret", "team"))
AT = Path(("sys", "labels", "secret", "team"))
INFO = LabelsInfo(TEAM, {"env": "test"}, {"env": ("test", TEAM), "owner": ("ann", Path(("secret",)))})
SHOWN = {
    "path": "secret/team",
    "labels": {"env": "test"},
    "effective": {
        "env": {"value": "test", "set_at": "secret/team"}, "owner": {"value": "ann", "set_at": "secret"},
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def script(gateway: Scripted) -> None:
    page = LabelsPage((Labelled(TEAM, {"env": "test"}),), TEAM)
    gateway.answers |= {ListLabels: page, ReadLabels: INFO, ChangeLabels: INFO, RemoveLabels: None}


@pytest.mark.parametrize(
    ("method", "target", "body", "asked", "status", "answer"),
    [
        ("GET", "labels/secret/team", b"", ReadLabels(path=AT), 200, SHOWN),
        (
            "PATCH", "labels/secret/team", {"labels": {"env": "test", "old": None}},
            ChangeLabels(path=AT, changes={"env": "test", "old": None}), 200, SHOWN,
        ),
        ("DELETE", "labels/secret/team", b"", RemoveLabels(path=AT), 204, None),
        (
            "GET", "labels?after=secret/a&limit=1", b"", ListLabels(after=Path(("secret", "a")), limit=1), 200,
            {"items": [{"path": "secret/team", "labels": {"env": "test"}}], "after": "secret/team"},
        ),
        (
            "GET", "labels", b"", ListLabels(), 200,
            {"items": [{"path": "secret/team", "labels": {"env": "test"}}], "after": "secret/team"},
        ),
    ],
)  # fmt: skip
def test_each_endpoint_asks_for_one_operation(
    gateway: Scripted, rest: Request, method: str, target: str, body: object, asked: object, status: int, answer: Any
) -> None:
    """At ``sys/labels/`` and the path that stands in the URL."""
    found = rest(method, f"/api/v1/{target}", body)
    assert (status, [asked]) == (found.status, gateway.asked)
    assert found.body == b"" if answer is None else found.json() == answer


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PATCH", "labels/secret/team", {"labels": {"env": 1}}),
        ("PATCH", "labels/secret/team", {"labels": {}}),
        ("PATCH", "labels/secret/team", {"label": {"env": "x"}}),
        ("PATCH", "labels/secret/../team", {"labels": {"env": "x"}}),
        ("GET", "labels?limit=0", b""),
        ("GET", "labels?limit=1001", b""),
        ("GET", "labels?after=a//b", b""),
        ("POST", "explain", {"policies": [], "action": "read", "path": "a", "facts": {"time": "2026-01-01T00:00:00"}}),
        ("POST", "explain", {"policies": [], "action": "read", "path": "a", "facts": {"time": 1}}),
        ("POST", "explain", {"policies": [], "action": "read", "path": "a", "facts": {"sauce": "10.0.0.1"}}),
        ("POST", "explain", {"policies": [], "action": "read", "path": "a", "facts": {"labels": {"a": 1}}}),
    ],
)
def test_what_cannot_be_read_is_refused(rest: Request, method: str, target: str, body: object) -> None:
    """Nothing is guessed."""
    assert 400 == rest(method, f"/api/v1/{target}", body).status


def test_a_path_may_be_as_long_as_its_operation_s(rest: Request) -> None:
    """Thirty segments and the two in front of them."""
    assert [200, 400] == [rest("GET", f"/api/v1/labels/{'/'.join('a' * number)}").status for number in (30, 31)]


def test_an_explanation_supposes_and_tells_what_conditions_turned_on(gateway: Scripted, rest: Request) -> None:
    """Each rule with a condition, its outcome, and the values that were read."""
    rule = Rule(Effect.DENY, ("read",), ("secret/**",), "has(label.x)")
    considered = tuple(
        Considered("p", 2, rule, truth, truth is not False, {"label.x": None}) for truth in (True, False, None)
    )
    gateway.answers[ExplainPolicy] = Explanation(False, "p", rule, 3, 2, considered)  # noqa: FBT003  # as the dataclass has it
    facts = {
        "name": "ci", "role": "web", "attributes": {"team": "a"}, "source": "10.0.0.1",
        "time": "2026-11-23T10:00:00+01:00", "labels": {"x": "1"},
    }  # fmt: skip
    answer = rest("POST", "/api/v1/explain", {"policies": ["p"], "action": "read", "path": "a", "facts": facts}).json()
    supposed = Supposed(
        name="ci", attributes={"team": "a", "role": "web"}, source="10.0.0.1", time=1_795_424_400 * 10**9,
        labels={"x": "1"},
    )  # fmt: skip
    assert [
        ExplainPolicy(policies=("p",), asked_action=Action.READ, asked_path=Path(("a",)), supposed=supposed)
    ] == gateway.asked
    assert 2 == answer["number"]
    assert ["true", "false", "unknown"] == [one["outcome"] for one in answer["considered"]]
    assert {
        "policy": "p", "number": 2, "effect": "deny", "when": "has(label.x)", "outcome": "true", "applies": True,
        "attributes": {"label.x": None},
    } == answer["considered"][0]  # fmt: skip
