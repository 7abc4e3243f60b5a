"""Roles are changed field by field in Vault's API, and read and written here: no change that comes between is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.operations.approle import DeleteRole, ReadRole, Role, WriteRole, roles_of
from wardgate.spi.operations.base import Operation

from tests.end_to_end.vault_vectors import Send

ROLE = "/v1/auth/approle/role/app"
PATH = roles_of("approle").child("app")
Meanwhile = Callable[[Operation[Any]], None]


@pytest.fixture
def call(send: Send, token: str) -> Callable[..., Any]:
    return lambda verb, at, body=None: send(verb, at, {"X-Vault-Token": token}, json.dumps(body or {}).encode())


@pytest.fixture
def meanwhile(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let another change a role between the next reading of one and its writing."""

    def between(change: Operation[Any]) -> None:
        perform, changes = gateway.perform, [change]

        async def intruded(where: Any, operation: Operation[Any], **named: Any) -> Any:
            outcome = await perform(where, operation, **named)
            if changes and isinstance(operation, ReadRole):
                await perform(where, changes.pop(), **named)
            return outcome

        monkeypatch.setattr(gateway, "perform", intruded)

    return between


@pytest.mark.parametrize(("at", "body"), [(ROLE, {"token_ttl": "5m"}), (f"{ROLE}/token-ttl", {"token_ttl": "5m"})])
def test_a_role_narrowed_meanwhile_stays_so(
    call: Callable[..., Any], meanwhile: Meanwhile, at: str, body: dict[str, str]
) -> None:
    """Whoever changes another field does not write the wider role back."""
    call("POST", ROLE, {"token_policies": "default,administrator"})
    meanwhile(WriteRole(path=PATH, role=Role("app", ("default",))))
    assert 204 == call("POST", at, body).status
    data = json.loads(call("GET", ROLE).body)["data"]
    assert (["default"], 300) == (data["token_policies"], data["token_ttl"])


@pytest.mark.parametrize(("verb", "status"), [("POST", 404), ("DELETE", 204)])
def test_a_role_deleted_meanwhile_stays_so(
    call: Callable[..., Any], meanwhile: Meanwhile, verb: str, status: int
) -> None:
    """A field of it does not bring it back, with all that it could do."""
    call("POST", ROLE, {"token_policies": "administrator", "token_ttl": "1m"})
    meanwhile(DeleteRole(path=PATH))
    assert status == call(verb, f"{ROLE}/token-ttl", {"token_ttl": "5m"}).status
    assert 404 == call("GET", ROLE).status


def test_one_who_never_comes_first_is_told(
    call: Callable[..., Any], gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries, and nothing is half done."""
    call("POST", ROLE, {"token_policies": "default"})
    perform, lives = gateway.perform, iter(range(60, 6_000))

    async def intruded(where: Any, operation: Operation[Any], **named: Any) -> Any:
        outcome = await perform(where, operation, **named)
        if isinstance(operation, ReadRole):
            await perform(where, WriteRole(path=PATH, role=Role("app", token_ttl=next(lives) * 10**9)), **named)
        return outcome

    monkeypatch.setattr(gateway, "perform", intruded)
    answer = call("POST", f"{ROLE}/token-num-uses", {"token_num_uses": 3})
    assert (400, 0) == (answer.status, json.loads(call("GET", ROLE).body)["data"]["token_num_uses"])
