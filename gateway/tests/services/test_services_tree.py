"""Namespaces, mounts, policies and the gateway's health."""

from __future__ import annotations

import sqlite3
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    InvalidValue,
    Sealed,
    SecretNotFound,
    Unavailable,
    WardgateError,
)
from wardgate.spi.identity import Principal
from wardgate.spi.operations import (
    approle,
    keys,
    labels,
    methods,
    mounts,
    namespaces,
    policies,
    system,
    tokens,
    wrapping,
)
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.mounts import (
    MOUNTS,
    CreateMount,
    DeleteMount,
    ListMounts,
    ListVisibleMounts,
    MountInfo,
    ReadMount,
)
from wardgate.spi.operations.namespaces import (
    NAMESPACES,
    CreateNamespace,
    DeleteNamespace,
    ListNamespaces,
    NamespaceCreated,
)
from wardgate.spi.operations.policies import (
    POLICIES,
    DeletePolicy,
    Effect,
    ExplainPolicy,
    ListPolicies,
    Policy,
    ReadCapabilities,
    ReadPolicy,
    Rule,
    WritePolicy,
)
from wardgate.spi.operations.system import ReadHealth, ReadLeader, ReadSealStatus
from wardgate.spi.options import REDACTED
from wardgate.spi.path import Path
from wardgate.state import tables

DAY = 24 * 3_600 * 10**9
CANARY = "canary-of-a-token"


def namespace(desk: Any, name: str, within: str = "root") -> NamespaceCreated:
    created: NamespaceCreated = desk.do(CreateNamespace(path=NAMESPACES.child(name)), namespace=within)
    return created


def mount(desk: Any, prefix: str, within: str = "root", **more: Any) -> MountInfo:
    facts: dict[str, Any] = {"type": "memory", "options": {"address": "up", "token": CANARY}, **more}
    info: MountInfo = desk.do(CreateMount(path=MOUNTS.joined(Path.parse(prefix)), **facts), namespace=within)
    return info


def test_a_namespace_has_its_own_administrator_who_expires(desk: Any, other_worker: Any, clock: Any) -> None:
    """Its key works in it alone, in every worker, for a day."""
    created = namespace(desk, "team")
    team, token = created.namespace.id, created.administrator.token
    assert "team" == str(created.namespace.path)
    assert other_worker.state.namespaces.resolve("team") == other_worker.state.namespaces.resolve("team/") == team
    assert ("administrator",) == other_worker.logged_in(token, team).policies
    assert desk.logged_in(token, "root") is None
    clock.time += DAY
    assert desk.logged_in(token, team) is None


def test_namespaces_nest_to_any_depth(desk: Any) -> None:
    """Each is known by its whole path, and lists its own children only."""
    top = namespace(desk, "a").namespace
    below = namespace(desk, "b", top.id).namespace
    third = namespace(desk, "a", below.id).namespace
    assert third.id == desk.state.namespaces.resolve("a/b/a")
    assert (below,) == desk.do(ListNamespaces(), namespace=top.id)
    assert (top,) == desk.do(ListNamespaces())
    assert "" == desk.state.namespaces.resolve("b")


def test_namespaces_have_keys_of_their_own(desk: Any) -> None:
    """What one seals, another cannot open."""
    team = namespace(desk, "team").namespace.id
    message = desk.state.keyring("root").seal(b"x", data=[], key=[])
    with pytest.raises(InvalidValue):
        desk.state.keyring(team).open(message, data=[], key=[])


@pytest.mark.parametrize(
    "name", ["sys", "Auth", "root", "ROOT", "team", "TEAM", "secret", "Secret", "a b", "-x", "\u00e9"]
)
def test_a_name_that_is_taken_reserved_or_not_plain_is_refused(desk: Any, name: str) -> None:
    """In any spelling of its case."""
    namespace(desk, "team")
    mount(desk, "secret/kv")
    with pytest.raises((AlreadyExists, InvalidValue)):
        namespace(desk, name)


def test_only_an_empty_namespace_is_deleted(desk: Any) -> None:
    """Mounts and children hold it; then it goes, with its principals, and is gone for good."""
    created = namespace(desk, "team")
    team = created.namespace.id
    namespace(desk, "below", team)
    mount(desk, "kv", team)
    delete = DeleteNamespace(path=NAMESPACES.child("team"))
    with pytest.raises(Conflict, match="child"):
        desk.do(delete)
    desk.do(DeleteNamespace(path=NAMESPACES.child("below")), namespace=team)
    with pytest.raises(Conflict, match="mounts"):
        desk.do(delete)
    desk.do(DeleteMount(path=MOUNTS.child("kv")), namespace=team)
    desk.do(delete)
    assert "" == desk.state.namespaces.resolve("team")
    assert desk.logged_in(created.administrator.token, team) is None
    with pytest.raises(SecretNotFound):
        desk.do(delete)


def test_a_deleted_namespaces_keys_are_shredded(desk: Any, other_worker: Any, tmp_path: FilePath) -> None:
    """The wrapped KEK is in no file any more, and no worker has it at hand."""
    team = namespace(desk, "team").namespace.id
    other_worker.state.keyring(team)
    file = tmp_path / "data" / "gateway.db"
    wrapped = sqlite3.connect(file).execute("SELECT wrapped FROM keks WHERE namespace = ?", (team,)).fetchone()[0]
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    assert [] == [each.name for each in file.parent.glob("gateway.db*") if wrapped in each.read_bytes()]
    for worker in (desk, other_worker):
        with pytest.raises(Sealed):
            worker.state.keyring(team)


def test_nothing_of_a_deleted_namespace_is_kept(desk: Any, tmp_path: FilePath) -> None:
    """In no table, also of those to come: only that it ended is told, to workers that knew it."""
    team = namespace(desk, "team").namespace.id
    of_namespaces = {name for name, table in tables.metadata.tables.items() if "namespace" in table.c}
    with sqlite3.connect(tmp_path / "data" / "gateway.db") as file:
        for name in of_namespaces - {"mounts", "grants"}:  # it cannot have mounts
            row = {
                column.name: team if column.name == "namespace" else b"x" if "BLOB" in str(column.type) else 7
                for column in tables.metadata.tables[name].columns
            }
            marks = ", ".join("?" * len(row))
            file.execute(f"INSERT OR IGNORE INTO {name} ({', '.join(row)}) VALUES ({marks})", [*row.values()])
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    kept = {
        name
        for name in of_namespaces
        if file.execute(f"SELECT count(*) FROM {name} WHERE namespace = ?", (team,)).fetchone()[0]
    }
    assert {"grants"} == kept


def test_a_new_namespace_of_an_old_name_inherits_nothing(desk: Any) -> None:
    """Ids are never used again."""
    first = namespace(desk, "team")
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", RULES)), namespace=first.namespace.id)
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    second = namespace(desk, "team")
    assert first.namespace.id != second.namespace.id
    assert desk.logged_in(first.administrator.token, second.namespace.id) is None
    assert ("administrator", "default") == desk.do(ListPolicies(), namespace=second.namespace.id)


def test_a_mount_is_kept_and_seen_by_every_worker(desk: Any, other_worker: Any) -> None:
    """Made, found, listed without its secrets, and forgotten."""
    info = mount(desk, "secret", presentation={"vault.kv": "2"}, description="d")
    assert {"address": "up", "token": REDACTED} == info.options
    assert info == other_worker.do(ReadMount(path=MOUNTS.child("secret")))
    assert (info,) == other_worker.do(ListMounts())
    (row,) = other_worker.state.mounts.of("root")
    assert {"address": "up", "token": CANARY} == row.options
    assert CANARY not in repr(row)
    desk.do(DeleteMount(path=MOUNTS.child("secret")))
    assert () == other_worker.do(ListMounts())
    with pytest.raises(SecretNotFound):
        desk.do(DeleteMount(path=MOUNTS.child("secret")))


def test_rows_stay_the_same_object_as_long_as_nothing_changed(desk: Any) -> None:
    """So that nobody opens a backend anew for nothing."""
    mount(desk, "secret")
    rows = desk.state.mounts.of("root")
    desk.state._grants.bump(("mounts", "root"))
    assert rows is desk.state.mounts.of("root")


@pytest.mark.parametrize("prefix", ["secret", "secret/kv/below", "sys", "auth/x", "cubbyhole", "team", "Team/x"])
def test_a_prefix_that_nests_or_is_taken_is_refused(desk: Any, prefix: str) -> None:
    """With mounts, child namespaces and reserved names."""
    mount(desk, "secret/kv")
    namespace(desk, "team")
    with pytest.raises((AlreadyExists, InvalidValue)):
        mount(desk, prefix)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "memry"}, "did you mean 'memory'"),
        ({"options": {"adress": "x"}}, "did you mean 'address'"),
        ({"options": {}}, "'address' is missing"),
        ({"options": {"address": 5}}, "must be text"),
        ({"presentation": {"a": "x" * 2_000}}, "presentation"),
        ({"presentation": {str(n): "" for n in range(20)}}, "presentation"),
    ],
)
def test_a_mount_with_a_wrong_setting_is_refused(desk: Any, changes: dict[str, Any], message: str) -> None:
    """With the nearest right name, and nothing kept."""
    with pytest.raises(InvalidValue, match=message):
        mount(desk, "secret", **changes)
    assert () == desk.do(ListMounts())


@pytest.mark.parametrize(
    ("given", "message"),
    [({"vault.kw": "2"}, "did you mean 'vault.kv'"), ({"vault.kv": "3"}, "vault.kv can be 2")],
)
def test_a_presentation_no_front_end_knows_is_refused(desk: Any, given: dict[str, str], message: str) -> None:
    """A mount that no client could read would look healthy."""
    with pytest.raises(InvalidValue, match=message):
        mount(desk, "secret", presentation=given)


def test_a_question_about_a_policy_that_is_not_there_is_refused(desk: Any) -> None:
    """A typing mistake is not "denied"."""
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", RULES)))
    with pytest.raises(InvalidValue, match="no policy 'pp'; did you mean 'p'"):
        desk.do(ExplainPolicy(policies=("pp",), asked_action=Action.READ, asked_path=Path.parse("a")))


def test_a_refused_option_is_not_quoted(desk: Any) -> None:
    """A secret in a mistyped request must not come back in the error."""
    with pytest.raises(InvalidValue) as refused:
        mount(desk, "secret", options={"address": "up", "token": [CANARY]})
    assert CANARY not in str(refused.value)


def test_a_store_that_does_not_answer_is_not_mounted(desk: Any) -> None:
    """It is opened, asked, and closed again, and only then kept."""
    with pytest.raises(Unavailable, match="the store is down"):
        mount(desk, "secret", options={"address": "down"})
    assert () == desk.do(ListMounts())
    mount(desk, "secret")
    assert [True, True] == [backend.closed for backend in desk.probed]


def test_visible_mounts_are_those_below_which_one_may_do_something(desk: Any) -> None:
    """Without options."""
    mount(desk, "a")
    mount(desk, "b")
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", (Rule(Effect.ALLOW, ("read",), ("a/x",)),))))
    reader = Principal("r", "root", "r", "key", ("p",), "x")
    (seen,) = desk.do(ListVisibleMounts(), reader)
    assert ("a", {}) == (str(seen.prefix), seen.options)
    assert Capabilities() == seen.capabilities
    assert () == desk.do(ListVisibleMounts(), Principal("n", "root", "n", "key", (), "x"))


RULES = (Rule(Effect.ALLOW, ("read", "list"), ("secret/**",)), Rule(Effect.DENY, ("*",), ("secret/private/**",)))


def test_a_policy_is_kept_and_seen_by_every_worker(desk: Any, other_worker: Any) -> None:
    """Written, read, replaced, deleted."""
    policy = Policy("p", RULES)
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=policy))
    assert policy == other_worker.do(ReadPolicy(path=POLICIES.child("p")))
    shorter = Policy("p", RULES[:1])
    other_worker.do(WritePolicy(path=POLICIES.child("p"), policy=shorter))
    assert shorter == desk.do(ReadPolicy(path=POLICIES.child("p")))
    assert ("administrator", "default", "p") == desk.do(ListPolicies())
    desk.do(DeletePolicy(path=POLICIES.child("p")))
    for operation in (ReadPolicy, DeletePolicy):
        with pytest.raises(SecretNotFound):
            other_worker.do(operation(path=POLICIES.child("p")))


def test_a_bad_policy_is_refused_and_the_old_one_kept(desk: Any) -> None:
    """Validated before anything is stored; the path must name the policy."""
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", RULES)))
    for path, policy in (
        ("p", Policy("p", (Rule(Effect.ALLOW, ("fly",), ("a",)),))),
        ("q", Policy("p", RULES)),
        ("administrator", Policy("administrator", RULES)),
        ("Default", Policy("Default", RULES)),
    ):
        with pytest.raises(InvalidValue):
            desk.do(WritePolicy(path=POLICIES.child(path), policy=policy))
    assert Policy("p", RULES) == desk.do(ReadPolicy(path=POLICIES.child("p")))


def test_built_in_policies_are_shown_and_cannot_be_deleted(desk: Any) -> None:
    """They are constants, in every namespace."""
    assert desk.do(ReadPolicy(path=POLICIES.child("administrator"))).built_in
    with pytest.raises(InvalidValue):
        desk.do(DeletePolicy(path=POLICIES.child("administrator")))


def test_questions_about_policies_are_answered(desk: Any) -> None:
    """Which rule decides, and what may I do."""
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", RULES)))
    private = Path.parse("secret/private/x")
    explained = desk.do(ExplainPolicy(policies=("p",), asked_action=Action.READ, asked_path=private))
    assert (False, "p", RULES[1]) == (explained.allowed, explained.policy, explained.rule)
    listed = desk.do(ExplainPolicy(policies=("p",), asked_action=Action.LIST, asked_path=Path.parse("secret/private")))
    assert (False, RULES[1]) == (listed.allowed, listed.rule), "a list is of a folder, and a rule covers its folder"
    reader = Principal("r", "root", "r", "key", ("p",), "x")
    answer = desk.do(ReadCapabilities(asked=(private, Path.parse("secret/x"))), reader)
    assert {"secret/private/x": frozenset(), "secret/x": {Action.READ, Action.LIST}} == answer


def test_anyone_learns_that_it_serves(desk: Any) -> None:
    """Initialised, unsealed, its version and the installation's id."""
    for operation in (ReadHealth(), ReadSealStatus(), ReadLeader()):
        status = desk.do(operation, None)
        assert (True, False, "1.2.3") == (status.initialized, status.sealed, status.version)
        assert desk.state.installation == status.cluster_id


def test_every_operation_of_a_service_has_a_handler(desk: Any) -> None:
    """None is forgotten when one is added to the interface."""
    declared = {
        each
        for module in (approle, keys, labels, methods, mounts, namespaces, policies, system, tokens, wrapping)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Operation) and each is not Operation
    }
    assert declared == set(desk.handlers)


def test_nothing_of_another_namespace_is_in_any_answer(desk: Any) -> None:
    """Lists of the root hold nothing of the team's, and the other way round."""
    team = namespace(desk, "team").namespace.id
    mount(desk, "kv", team)
    desk.do(WritePolicy(path=POLICIES.child("p"), policy=Policy("p", RULES)), namespace=team)
    assert () == desk.do(ListMounts())
    assert "p" not in desk.do(ListPolicies())
    assert () == desk.do(ListNamespaces(), namespace=team)
    with pytest.raises(WardgateError):
        desk.do(DeleteMount(path=MOUNTS.child("kv")))
