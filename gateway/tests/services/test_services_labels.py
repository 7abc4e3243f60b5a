"""Labels of paths: who inherits what, in every worker at once, bounded, and each namespace its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue, SecretNotFound, Unavailable
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.labels import (
    LABELS,
    ChangeLabels,
    LabelsInfo,
    ListLabels,
    ReadLabels,
    RemoveLabels,
)
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace, DeleteNamespace
from wardgate.spi.operations.policies import POLICIES, Effect, Policy, Rule, WritePolicy
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path
from wardgate.state import labels as state_labels
from wardgate.state.labels import LabelSet


def at(path: str) -> Path:
    return LABELS.joined(Path.parse(path))


def put(desk: Any, path: str, namespace: str = "root", **changes: str | None) -> LabelsInfo:
    info: LabelsInfo = desk.do(ChangeLabels(path=at(path), changes=changes), namespace=namespace)
    return info


def effective(desk: Any, path: str, namespace: str = "root") -> dict[str, str]:
    info = desk.do(ReadLabels(path=at(path)), namespace=namespace)
    return {name: value for name, (value, _) in info.effective.items()}


def test_labels_hold_for_all_below_name_by_name(desk: Any) -> None:
    """The nearest ancestor that sets a name gives its value; other names come from further up."""
    put(desk, "secret", env="test", owner="all")
    put(desk, "secret/team", env="production")
    info = put(desk, "secret/team/db", owner="ann")
    assert {"owner": "ann"} == dict(info.own)
    assert {
        "env": ("production", Path.parse("secret/team")), "owner": ("ann", Path.parse("secret/team/db")),
    } == dict(info.effective)  # fmt: skip
    assert {"env": "production", "owner": "all"} == effective(desk, "secret/team/x/y")
    assert {"env": "test", "owner": "all"} == effective(desk, "secret/teams")
    assert {} == effective(desk, "secrets")


def test_a_change_leaves_what_it_does_not_name(desk: Any) -> None:
    """None takes one away; the last one gone, the path is labelled no more."""
    put(desk, "a", x="1", y="2")
    put(desk, "a", x="3", z="4")
    assert {"y": "2", "z": "4"} == dict(put(desk, "a", x=None).own)
    put(desk, "a", y=None, z=None, never="x")
    put(desk, "a", never=None)
    assert () == desk.do(ListLabels()).items
    desk.do(ChangeLabels(path=at("a"), changes={"b": "1"}))
    desk.do(RemoveLabels(path=at("a")))
    with pytest.raises(SecretNotFound):
        desk.do(RemoveLabels(path=at("a")))


segments = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(tuple)
own = st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), min_size=1)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(segments, own, max_size=6), segments)
def test_the_nearest_ancestor_that_sets_a_name_gives_it(
    labelled: dict[tuple[str, ...], dict[str, str]], path: tuple[str, ...]
) -> None:
    """By looking upwards from the path, name by name."""
    expected = {}
    for name in "xy":
        for length in range(len(path), 0, -1):
            if name in labelled.get(path[:length], {}):
                expected[name] = labelled[path[:length]][name]
                break
    found = LabelSet(labelled)
    assert expected == found.of(path)
    assert expected == {name: value for name, (value, _) in found.origins(path).items()}


def test_another_worker_decides_by_a_change_at_once(desk: Any, other_worker: Any) -> None:
    """The epoch moves before the change is acknowledged, and what was remembered counts no more."""
    rule = Rule(Effect.ALLOW, ("read",), ("secret/**",), 'label.env == "test"')
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", (rule,))))
    who = Principal("p", "root", "p", "key", ("p",), "a")
    facts, asked = Arrival("id", 0, 0.0, "127.0.0.1"), ReadSecret(path=Path.parse("secret/a"))
    answers = []
    for value in ("test", "production", "test", None):
        put(desk, "secret", env=value)
        answers.append([each.engine.decision(who, asked, facts) is not None for each in (desk, other_worker)])
    assert [[True] * 2, [False] * 2, [True] * 2, [False] * 2] == answers


def test_a_namespace_s_labels_are_its_own_and_end_with_it(desk: Any) -> None:
    """Neither seen nor inherited from elsewhere; one of the same name begins without."""
    created = desk.do(CreateNamespace(path=NAMESPACES.child("team")))
    put(desk, "secret", env="root")
    put(desk, "secret", namespace=created.namespace.id, env="team")
    assert ["root", "team"] == [effective(desk, "secret/a", each)["env"] for each in ("root", created.namespace.id)]
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    again = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    assert {} == effective(desk, "secret", again)
    with desk.state._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT namespace FROM labels UNION SELECT namespace FROM label_sets").all()
    assert [("root",)] == [tuple(row) for row in rows]


def test_pages_follow_one_another(desk: Any) -> None:
    """In the order of paths, each once."""
    for name in ("b", "a/x", "a", "a-b"):
        put(desk, name, x="1")
    found, after = [], None
    while True:
        page = desk.do(ListLabels(after=after, limit=1))
        found += [str(item.path) for item in page.items]
        after = page.after
        if after is None:
            break
    assert ["a", "a/x", "a-b", "b"] == found
    for limit in (0, -1, 1_001):
        with pytest.raises(InvalidValue):
            desk.do(ListLabels(limit=limit))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "at least one label"),
        ({"": "x"}, "the label's name"),
        ({"1a": "x"}, "begin with a letter"),
        ({"a b": "x"}, "the label's name"),
        ({"a.b": "x"}, "the label's name"),
        ({"a" * 64: "x"}, "the label's name"),
        ({"a": ""}, "1 to 128 characters"),
        ({"a": "x" * 129}, "1 to 128 characters"),
        ({"a": "x\n"}, "printable"),
        ({"a": "e\u0301"}, "normalization form C"),
        ({f"a{i}": "x" for i in range(17)}, "at most 16 labels"),
    ],
)
def test_a_label_that_cannot_be_kept_is_refused(desk: Any, changes: dict[str, str | None], message: str) -> None:
    """And nothing of the change is."""
    with pytest.raises(InvalidValue, match=message):
        desk.do(ChangeLabels(path=at("a"), changes={**changes}))
    assert {} == effective(desk, "a")


def test_the_labelled_paths_of_a_namespace_are_bounded(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that has labels can still be changed."""
    monkeypatch.setattr(state_labels, "MAX_LABELLED", 2)
    put(desk, "a", x="1")
    put(desk, "b", x="1")
    with pytest.raises(InvalidValue, match="at most 2 paths"):
        put(desk, "c", x="1")
    assert {"x": "2"} == dict(put(desk, "b", x="2").own)


def test_the_folder_of_all_labels_is_no_path(desk: Any) -> None:
    """There is nothing to be labelled at it."""
    for operation in (
        ReadLabels(path=LABELS),
        ChangeLabels(path=LABELS, changes={"a": "b"}),
        RemoveLabels(path=LABELS),
    ):
        with pytest.raises(SecretNotFound):
            desk.do(operation)


def test_a_set_that_was_taken_back_is_refused_by_whoever_saw_the_newer_one(desk: Any, tmp_path: FilePath) -> None:
    """Even when all of it vanishes; and the next change does not bless it."""
    put(desk, "a", x="1")
    assert {"x": "1"} == effective(desk, "a")
    connection = sqlite3.connect(tmp_path / "data" / "gateway.db", isolation_level=None)
    for table in ("labels", "label_sets"):
        connection.execute(f"DELETE FROM {table}")
    connection.close()
    desk.state.epochs.bump(desk.state.epochs.slot("labels", "root"))
    with pytest.raises(Unavailable):
        effective(desk, "a")
    with pytest.raises(Unavailable):
        put(desk, "b", x="1")
