"""``sys/capabilities-self``: asked in Vault's paths and words, answered by the gateway's policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import ReadCapabilities
from wardgate.spi.path import Path

from tests.end_to_end.vault_vectors import Send

Ask = Callable[[object], Any]


@pytest.fixture
def ask(send: Send, token: str) -> Ask:
    """The answer about these paths."""

    def asked(paths: object) -> Any:
        body = json.dumps({"paths": paths}).encode()
        return json.loads(send("POST", "/v1/sys/capabilities-self", {"X-Vault-Token": token}, body).body)

    return asked


def _grant(gateway: Any, monkeypatch: pytest.MonkeyPatch, granted: dict[str, frozenset[Action]]) -> None:
    """Let the policies allow this."""

    async def perform(*_: Any, **__: Any) -> Outcome[Any]:
        return Outcome(granted)

    monkeypatch.setattr(gateway, "perform", perform)


def test_capabilities_are_said_in_vaults_words(gateway: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action has its word only where Vault's API would use it; nothing at all is `deny`."""
    granted = {"secret/a": frozenset({Action.READ, Action.DESTROY}), "sys/mounts/x": frozenset({Action.MANAGE})}
    _grant(gateway, monkeypatch, granted)
    paths = ["secret/data/a", "secret/metadata/a", "secret/undelete/a", "secret/wrong/a", "sys/mounts/x"]
    answer = ask(paths)

    assert [["read"], ["delete"], ["deny"], ["deny"], ["create", "delete", "update"]] == [
        answer["data"][path] for path in paths
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "granted", "words"),
    [
        ("sys/auth/ci/tune", "sys/auth/ci", {Action.MANAGE}, ["create", "update"]),
        ("sys/mounts/auth/ci/tune", "sys/auth/ci", {Action.READ}, ["read"]),
        ("sys/mounts/auth/ci", "sys/auth/ci", {Action.READ}, ["read"]),
        ("sys/mounts/secret/team/tune", "sys/mounts/secret/team", {Action.MANAGE}, ["create", "update"]),
        ("sys/mounts/tune", "sys/mounts/tune", {Action.MANAGE}, ["create", "delete", "update"]),
        ("sys/policies/acl/p", "sys/policies/p", {Action.MANAGE}, ["create", "delete", "update"]),
        ("sys/policies/acl", "sys/policies", {Action.LIST}, ["list"]),
        ("sys/policy/p", "sys/policies/p", {Action.READ}, ["read"]),
        ("auth/ci/role/r/token-ttl", "auth/ci/role/r", {Action.MANAGE}, ["create", "delete", "update"]),
        ("auth/ci/role/r/role-id", "auth/ci/role/r/role-id", {Action.READ}, ["read"]),
        ("auth/token/role/r/period", "auth/token/role/r/period", set(), ["deny"]),
    ],
)
def test_capabilities_at_paths_that_stand_elsewhere_here(
    gateway: Any,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    theirs: str,
    ours: str,
    granted: set[Action],
    words: list[str],
) -> None:
    """What is told is of the path that the request itself would be judged by."""
    everywhere = frozenset(Action)
    _grant(gateway, monkeypatch, {theirs: everywhere} | {ours: frozenset(granted)})
    answer = ask([theirs])

    assert words == answer["capabilities"]


def test_capabilities_are_asked_of_the_roads_own_paths(gateway: Any, ask: Ask) -> None:
    """Policies know no `data/`."""
    ask("secret/data/a, secret/metadata/")

    assert [ReadCapabilities(asked=(Path(("secret", "a")), Path(("secret",))))] == gateway.asked
