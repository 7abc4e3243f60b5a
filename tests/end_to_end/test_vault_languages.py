"""A small service in each language, with that language's unmodified client of the Vault API, sees what it should."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.servers.gateway import Running

SECONDS = 120.0
POLICY = {
    "rules": [
        {
            "effect": "allow",
            "actions": ["read", "list", "write", "describe", "annotate", "delete", "undelete", "destroy"],
            "paths": ["languages/**", "languages-v1/**"],
        }
    ]
}
STORY: Mapping[str, Any] = {
    "renewable": True,
    "path": "auth/approle/login",
    "renewed": 60,
    "version": 2,
    "conflict": 400,
    "data": {"password": "two", "user": "ann"},
    "first": {"password": "one", "user": "ann"},
    "labels": {"team": "a"},
    "versions": 2,
    "names": ["app"],
    "deleted": True,
    "undeleted": {"password": "two", "user": "ann"},
    "absent": True,
    "v1": {"password": "one"},
    "v1_names": ["app"],
    "v1_absent": True,
    "wrapped": 60,
    "unwrapped": {"password": "in paper"},
    "unwrapped_twice": 400,
    "revoked": 403,
}
"""What a program says that it saw; the same programs say the same of a real Vault server."""
PATCHED: Mapping[str, Any] = {
    "data": {"password": "two", "user": "bob"},
    "undeleted": {"password": "two", "user": "bob"},
    "versions": 3,
}
DIFFERENT: Mapping[str, Mapping[str, Any]] = {
    "go": {**PATCHED, "watched": 60, "rolled_back": 4, "nested": ["three", ["app"]]},
    "node": PATCHED,
    "java": {},
    "rust": {"wrapped": 600},  # the client's own choice
}
WITHOUT: Mapping[str, frozenset[str]] = {"java": frozenset({"labels", "versions", "undeleted"})}
"""What the client has no call for."""


@pytest.fixture(scope="module")
def environment(gateway: Running) -> dict[str, str]:
    """Where the gateway is, its two mounts, and a role that may use them and nothing else."""
    gateway.mount("languages", "native")
    shown = {"prefix": "languages-v1", "type": "native", "presentation": {"vault.kv": "1"}}
    assert gateway.call("POST", "/api/v1/mounts", shown).status in {200, 201}
    assert gateway.call("PUT", "/api/v1/policies/languages", POLICY).status in {200, 201, 204}
    role = "/v1/auth/approle/role/languages"
    assert gateway.call("POST", role, {"token_policies": ["languages"], "token_ttl": "1h"}).status == 204
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "VAULT_ADDR": gateway.address,
        "ROLE_ID": gateway.call("GET", f"{role}/role-id").json()["data"]["role_id"],
        "SECRET_ID": gateway.call("POST", f"{role}/secret-id").json()["data"]["secret_id"],
        "V2": "languages",
        "V1": "languages-v1",
    }


@pytest.mark.parametrize(
    ("built_client", "language"), [(name, name) for name in DIFFERENT], indirect=["built_client"], ids=list(DIFFERENT)
)
def test_a_service_in(built_client: tuple[str, ...], language: str, environment: dict[str, str]) -> None:
    """AppRole, renewal, KV 2 with its versions, KV 1, wrapping, and a revoked token."""
    ran = subprocess.run(built_client, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert ran.returncode == 0, ran.stderr[-2_000:]
    told = {name: seen for name, seen in STORY.items() if name not in WITHOUT.get(language, ())}
    assert told | dict(DIFFERENT[language]) == json.loads(ran.stdout)
