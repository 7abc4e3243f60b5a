"""``wardgate approle write`` and ``secret-id``: what is asked of the gateway, and what stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.operations.approle import CreateSecretId, ReadRole, Role, SecretIdIssued, WriteRole
from wardgate.spi.path import Path

from tests.support.scripted import Scripted

SECOND = 10**9
AT = Path(("auth", "approle", "role", "web"))
BOUND = Role(
    "web",
    ("app", "b"),
    token_ttl=1 * SECOND,
    token_max_ttl=2 * SECOND,
    secret_id_ttl=3 * SECOND,
    secret_id_uses=4,
    bind_secret_id=False,
    token_period=5 * SECOND,
    token_explicit_max_ttl=6 * SECOND,
    token_uses=7,
    token_networks=("10.0.0.0/8",),
    secret_id_networks=("10.1.0.0/16",),
    bind_to_source=True,
)
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {}),
    ("--policy c --policy d", {"policies": ("c", "d")}),
    ("--token-ttl 1m", {"token_ttl": 60 * SECOND}),
    ("--token-ttl 0", {"token_ttl": 0}),
    ("--token-max-ttl 1h", {"token_max_ttl": 3_600 * SECOND}),
    ("--token-period 1h", {"token_period": 3_600 * SECOND}),
    ("--token-explicit-max-ttl 1d", {"token_explicit_max_ttl": 86_400 * SECOND}),
    ("--token-uses 9", {"token_uses": 9}),
    ("--token-uses 0", {"token_uses": 0}),
    ("--token-network 192.0.2.0/24 --token-network ::1/128", {"token_networks": ("192.0.2.0/24", "::1/128")}),
    ("--token-network any", {"token_networks": ()}),
    ("--secret-id-ttl 1h", {"secret_id_ttl": 3_600 * SECOND}),
    ("--secret-id-uses 1", {"secret_id_uses": 1}),
    ("--secret-id-network 192.0.2.1/32", {"secret_id_networks": ("192.0.2.1/32",)}),
    ("--secret-id-network any", {"secret_id_networks": ()}),
    ("--bind-secret-id", {"bind_secret_id": True}),
    ("--no-bind-secret-id", {"bind_secret_id": False}),
    ("--bind-to-source", {"bind_to_source": True}),
    ("--no-bind-to-source", {"bind_to_source": False}),
)


@pytest.mark.parametrize("there", [BOUND, None])
@pytest.mark.parametrize(("words", "change"), CHANGES)
def test_what_is_not_named_stays(
    gateway: Scripted, run: Callable[..., Any], words: str, change: dict[str, Any], there: Role | None
) -> None:
    """Every bound of the role that is there; a new role has the gateway's own."""
    gateway.answers[WriteRole] = None
    if there is not None:
        gateway.answers[ReadRole] = there

    result = run("approle", "write", "web", *words.split())

    assert 0 == result.exit_code, result.stderr
    role = replace(there or Role("web"), **change)
    assert [ReadRole(path=AT), WriteRole(path=AT, role=role)] == gateway.asked


def test_what_cannot_be_read_is_not_written(gateway: Scripted, run: Callable[..., Any]) -> None:
    """Else its bounds would be lost."""
    gateway.answers[ReadRole] = PermissionDenied("no")

    assert 0 != run("approle", "write", "web", "--policy", "app").exit_code
    assert [ReadRole(path=AT)] == gateway.asked


def test_a_network_that_a_script_left_empty_is_not_anywhere(gateway: Scripted, run: Callable[..., Any]) -> None:
    """It goes to the gateway as it is, which refuses it."""
    gateway.answers |= {ReadRole: BOUND, WriteRole: None}

    run("approle", "write", "web", "--token-network", "")

    assert [ReadRole(path=AT), WriteRole(path=AT, role=replace(BOUND, token_networks=("",)))] == gateway.asked


@pytest.mark.parametrize(
    ("words", "bounds"),
    [
        ("", {}),
        ("--ttl 1h", {"ttl": 3_600 * SECOND}),
        ("--ttl 0", {"ttl": 0}),
        ("--uses 1", {"uses": 1}),
        ("--network 10.0.0.0/8 --network ::1/128", {"networks": ("10.0.0.0/8", "::1/128")}),
        ("--token-network 10.0.0.0/8", {"token_networks": ("10.0.0.0/8",)}),
        ("--metadata host=a --metadata of=b=c", {"metadata": {"host": "a", "of": "b=c"}}),
    ],
)
def test_a_secret_id_has_the_bounds_that_are_named(
    gateway: Scripted, run: Callable[..., Any], words: str, bounds: dict[str, Any]
) -> None:
    """And the role's for the others."""
    gateway.answers[CreateSecretId] = SecretIdIssued("a1", 0, 0, "secret-1")

    result = run("approle", "secret-id", "web", *words.split())

    assert (0, "secret-1\n") == (result.exit_code, result.stdout), result.stderr
    assert [CreateSecretId(path=AT.child("secret-id"), **bounds)] == gateway.asked


@pytest.mark.parametrize(
    "words", ["write web --token-uses -1", "secret-id web --uses -1", "secret-id web --metadata x"]
)
def test_what_makes_no_sense_is_refused_here(gateway: Scripted, run: Callable[..., Any], words: str) -> None:
    """Before anything is asked."""
    assert 2 == run("approle", *words.split()).exit_code
    assert [] == gateway.asked


def test_what_the_gateway_warns_of_is_told(gateway: Scripted, run: Callable[..., Any]) -> None:
    """Each sentence on stderr, also where stdout is for a program."""
    gateway.answers |= {ReadRole: BOUND, WriteRole: None}
    gateway.warnings = ("its tokens are cut", "take care")
    try:
        result = run("approle", "write", "web", "--token-max-ttl", "2d", "--json")
    finally:
        gateway.warnings = ()
    assert 0 == result.exit_code
    assert {"Warning: its tokens are cut", "Warning: take care"} <= set(result.stderr.splitlines())
    assert "Warning" not in result.stdout
