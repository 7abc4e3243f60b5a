"""The policy that the documentation gives a mount's credential is what the probe asks for, on a real server too."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from wardgate.spi.backend import Backend, Permission
from wardgate_vault.probing import KV_ONE, KV_TWO, Need

from tests.servers.openbao import OpenBao

Opened = Callable[..., Backend]
PAGE = (Path(__file__).parents[4] / "docs" / "backends.md").read_text()
TWO, ONE = re.findall(r"```hcl\n(.*?)```", PAGE, re.DOTALL)


def granted(policy: str) -> set[tuple[str, str]]:
    """Each path below the engine with each right."""
    lines = re.findall(r'^path "[a-z]+/(\S+)" +{ capabilities = \[(.*?)\] }$', policy, re.MULTILINE)
    return {(place, right) for place, rights in lines for right in re.findall(r'"(\w+)"', rights)}


@pytest.mark.parametrize(("policy", "needs"), [(TWO, KV_TWO), (ONE, KV_ONE)], ids=["two", "one"])
def test_the_page_gives_what_is_asked_for_and_no_more(policy: str, needs: tuple[Need, ...]) -> None:
    """The least that everything works with."""
    assert {(need.place, need.right) for need in needs} == granted(policy)


def probed(openbao: OpenBao, opened: Opened, policy: str, **options: object) -> Sequence[Permission]:
    """What a mount's probe says of a token with that policy."""
    name = f"docs-{options['mount']}"
    openbao.call("PUT", f"sys/policies/acl/{name}", {"policy": policy})
    token = openbao.call("POST", "auth/token/create", {"policies": [name]})["auth"]["client_token"]
    return asyncio.run(opened(address=openbao.address, token=token, **options).probe())


@pytest.mark.parametrize(("policy", "version"), [(TWO, 2), (ONE, 1)], ids=["two", "one"])
def test_a_server_gives_all_that_is_asked_for(openbao: OpenBao, opened: Opened, policy: str, version: int) -> None:
    """Nothing is missing, of either engine."""
    mount = openbao.new_mount(version=str(version))
    policy = re.sub(r'path "[a-z]+/', f'path "{mount}/', policy)
    found = probed(openbao, opened, policy, mount=mount, kv_version=version)
    assert {True} == {one.granted for one in found}


def test_what_is_missing_is_named(openbao: OpenBao, opened: Opened) -> None:
    """Each line that is left out is told by its own rights."""
    for line in TWO.splitlines():
        mount = openbao.new_mount()
        policy = TWO.replace(line, "").replace('"secret/', f'"{mount}/')
        missing = {one.name for one in probed(openbao, opened, policy, mount=mount) if one.granted is False}
        assert {f"{right} on {mount}/{place}" for place, right in granted(line)} == missing
