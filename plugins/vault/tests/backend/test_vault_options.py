"""What a mount can be told, and what is refused before anything is asked of a server."""

from __future__ import annotations

from typing import Any

import pytest
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import describe, parse
from wardgate_vault.options import Options, check

CANARY = "canary-token\n"
GOOD: dict[str, Any] = {"address": "https://vault.example:8200", "token": "t"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"address": "http://127.0.0.1:8200"},
        {"address": "http://localhost:8200/"},
        {"address": "http://[::1]:8200"},
        {"address": "https://vault.example/behind/a/path"},
        {"address": "http://vault.example", "plain_http": True},
        {"token": None, "role_id": "r", "secret_id": "s"},
        {"token": None, "role_id": "r"},
        {"mount": "kv/prod/"},
        {"namespace": "team/a/"},
        {"timeout": 1},
    ],
)
def test_what_can_work_is_accepted(change: dict[str, Any]) -> None:
    """Nothing is asked of the server yet."""
    check(parse(Options, {**GOOD, **change}, of="mount kv/"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"address": "vault.example:8200"}, "address"),
        ({"address": "ftp://vault.example"}, "address"),
        ({"address": "https://"}, "address"),
        ({"address": "https://vault.example:port"}, "address"),
        ({"address": "https://user:canary@vault.example"}, "address"),
        ({"address": "https://vault.example?canary"}, "address"),
        ({"address": "http://vault.example:8200"}, "plain_http"),
        ({"address": "http://127.0.0.1.example:8200"}, "plain_http"),
        ({"token": None}, "token"),
        ({"role_id": "r"}, "token"),
        ({"secret_id": "s"}, "secret_id"),
        ({"token": ""}, "token"),
        ({"token": CANARY}, "token"),
        ({"token": None, "role_id": "r", "secret_id": "canary\r\nX-Header: 1"}, "secret_id"),
        ({"namespace": "ä"}, "namespace"),
        ({"mount": "/"}, "mount"),
        ({"approle_mount": ""}, "approle_mount"),
        ({"mount": "../api/v1"}, "mount"),
        ({"mount": "a//b"}, "mount"),
        ({"mount": "a/./b"}, "mount"),
        ({"mount": "a/%2E%2e/b"}, "mount"),
        ({"mount": "a?b"}, "mount"),
        ({"mount": "a#b"}, "mount"),
        ({"mount": "a\nb"}, "mount"),
        ({"approle_mount": "a/../../sys"}, "approle_mount"),
        ({"namespace": "../a"}, "namespace"),
        ({"namespace": "a/.."}, "namespace"),
        ({"address": "https://vault.example/a/../b"}, "address"),
        ({"address": "https://vault.example/%2e%2e/b"}, "address"),
        ({"address": "https://vault.example/a%3Fb"}, "address"),
        ({"ca_file": "/no/such/file"}, "ca_file"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"pool_size": 0}, "pool_size"),
        ({"pool_size": 100_000}, "pool_size"),
        ({"adress": "https://vault.example"}, "address"),
    ],
)
def test_what_cannot_work_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    """The option is named; what was given is not quoted."""
    with pytest.raises(InvalidValue, match=f"'{named}'|{named}") as refused:
        check(parse(Options, {**GOOD, **change}, of="mount kv/"))
    assert "canary" not in str(refused.value)


def test_secret_options_are_declared_as_such() -> None:
    """So that they are stored sealed, shown as asterisks, and in no ``repr``."""
    assert {"token", "secret_id"} == {known.name for known in describe(Options) if known.secret}
    assert "canary" not in repr(Options(address="x", token=CANARY, secret_id=CANARY))
