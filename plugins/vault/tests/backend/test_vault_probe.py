"""A probe tells what the gateway's token may do at its engine, and changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import fields

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Unauthenticated, Unavailable
from wardgate.spi.path import ROOT
from wardgate_vault.backend import VaultBackend
from wardgate_vault.backend_v1 import KvOneBackend

from tests.servers.openbao import OpenBao

Opened = Callable[..., Backend]
CANARY = "canary-of-a-token"


def token_of(openbao: OpenBao, rules: Mapping[str, list[str]], **settings: object) -> str:
    """A token of a policy with these rules."""
    policy = {"path": {path: {"capabilities": rights} for path, rights in rules.items()}}
    openbao.call("PUT", "sys/policies/acl/probe", {"policy": json.dumps(policy)})
    made = openbao.call("POST", "auth/token/create", {"policies": ["probe"], **settings})
    return str(made["auth"]["client_token"])


def granted(backend: Backend) -> dict[str, bool | None]:
    return {one.name: one.granted for one in asyncio.run(backend.probe())}


@pytest.mark.parametrize("version", [1, 2])
def test_root_may_do_all(openbao: OpenBao, opened: Opened, version: int) -> None:
    """And nothing is there afterwards."""
    mount = openbao.new_mount(version=str(version))
    backend = opened(address=openbao.address, token=openbao.token, mount=mount, kv_version=version)
    told = granted(backend)
    assert {True} == set(told.values())
    assert (f"update on {mount}/data/*" if version > 1 else f"update on {mount}/*") in told
    assert () == asyncio.run(backend.list(ROOT)).entries


@pytest.mark.parametrize("version", [1, 2])
def test_a_token_that_reads_alone_is_told_as_such(openbao: OpenBao, opened: Opened, version: int) -> None:
    """Each right by itself."""
    mount = openbao.new_mount(version=str(version))
    places = [f"{mount}/*"] if version == 1 else [f"{mount}/data/*", f"{mount}/metadata/*"]
    token = token_of(openbao, {place: ["read", "list"] for place in places})
    told = granted(opened(address=openbao.address, token=token, mount=mount, kv_version=version))
    may = {name for name, right in told.items() if right}
    if version == 1:
        assert {f"read on {mount}/*", f"list on {mount}/*"} == may
    else:
        assert {f"read on {mount}/data/*", f"list on {mount}/metadata/*", f"read on {mount}/metadata/*"} == may
    assert None not in told.values()


def test_a_token_that_may_not_ask_is_not_held_to_it(openbao: OpenBao, opened: Opened) -> None:
    """It is good, and what it may do cannot be told."""
    mount = openbao.new_mount()
    rules = {f"{mount}/data/*": ["read"], "auth/token/lookup-self": ["read"]}
    token = token_of(openbao, {**rules, "sys/internal/ui/mounts/*": ["read"]}, no_default_policy=True)
    assert {None} == set(granted(opened(address=openbao.address, token=token, mount=mount)).values())


def test_a_token_that_is_nobody_s_is_refused(openbao: OpenBao, opened: Opened) -> None:
    """Not taken for a mount that is not there; and a mount that is not there is told as that."""
    mount = openbao.new_mount()
    with pytest.raises(Unauthenticated) as refused:
        asyncio.run(opened(address=openbao.address, token=CANARY, mount=mount).probe())
    assert CANARY not in str(refused.value)
    with pytest.raises(Unavailable, match="does not show the configured mount"):
        asyncio.run(opened(address=openbao.address, token=openbao.token, mount="nowhere").probe())


def test_a_store_that_is_away_is_unavailable(opened: Opened) -> None:
    """As for every other call."""
    with pytest.raises(Unavailable):
        asyncio.run(opened(address="http://127.0.0.1:1", token=CANARY).probe())


@pytest.mark.parametrize("kind", [VaultBackend, KvOneBackend])
def test_every_need_is_of_something_declared(kind: type[VaultBackend | KvOneBackend]) -> None:
    """And everything that is done has its need, save what only shapes the others."""
    named = {name for need in kind.needs for name in need.needed_for}
    declared = {one.name for one in fields(Capabilities) if getattr(kind.capabilities, one.name) is True}
    assert declared - {"ordinals", "empty_secrets"} == named - {"read"}
