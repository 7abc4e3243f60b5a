"""``wardgate auth``, and the login method that ``wardgate approle`` names: what is asked of the gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.errors import SecretNotFound
from wardgate.spi.operations.approle import (
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.methods import DisableMethod, EnableMethod, ListMethods, MethodInfo, TuneMethod
from wardgate.spi.path import Path

from tests.support.scripted import Scripted

SECOND = 10**9
CI = Path(("sys", "auth", "ci"))
ROLE = Path(("auth", "ci", "role", "web"))
INFO = MethodInfo("id", "ci", "approle", "d", 60 * SECOND, 0, SECOND)


@pytest.fixture(autouse=True)
def _scripted(gateway: Scripted) -> None:
    for kind in (EnableMethod, TuneMethod):
        gateway.answers[kind] = INFO
    gateway.answers |= {ListMethods: (INFO,), DisableMethod: None, WriteRole: None, DeleteRole: None}


@pytest.mark.parametrize(
    ("words", "operation"),
    [
        ("list", ListMethods()),
        ("enable ci", EnableMethod(path=CI, type="approle")),
        (
            "enable ci --description d --default-ttl 1h --max-ttl 1d",
            EnableMethod(
                path=CI,
                type="approle",
                description="d",
                default_lease_ttl=3_600 * SECOND,
                max_lease_ttl=86_400 * SECOND,
            ),
        ),
        ("tune ci --description x", TuneMethod(path=CI, description="x")),
        ("tune ci --default-ttl 0", TuneMethod(path=CI, default_lease_ttl=0)),
        ("tune ci --max-ttl 5m", TuneMethod(path=CI, max_lease_ttl=300 * SECOND)),
        ("disable ci --yes", DisableMethod(path=CI)),
        ("enable ci/", EnableMethod(path=CI, type="approle")),
        ("tune ci/ --max-ttl 5m", TuneMethod(path=CI, max_lease_ttl=300 * SECOND)),
        ("disable ci/ --yes", DisableMethod(path=CI)),
    ],
)
def test_what_is_named_is_asked_for(
    gateway: Scripted, run: Callable[..., Any], words: str, operation: Operation[Any]
) -> None:
    """And nothing else; also for machines."""
    for more in ([], ["--json"]):
        gateway.asked.clear()
        result = run("auth", *words.split(), *more)
        assert 0 == result.exit_code, result.stderr
        assert [operation] == gateway.asked
        assert not more or json.loads(result.stdout)


def test_a_list_says_what_is_the_gateways_own(run: Callable[..., Any]) -> None:
    """A line a method."""
    assert "ci/\tapprole\t60s\tthe gateway's own\td\n" == run("auth", "list").stdout


@pytest.mark.parametrize("words", ["tune ci", "tune ci --max-ttl soon", "enable", "disable ci"])
def test_what_says_nothing_is_refused_here(gateway: Scripted, run: Callable[..., Any], words: str) -> None:
    """Before anything is asked; and nobody is there to be asked whether to disable."""
    assert 2 == run("auth", *words.split()).exit_code
    assert [] == gateway.asked


@pytest.mark.parametrize(
    ("words", "operation", "answer"),
    [
        ("list", ListRoles(path=Path(("auth", "ci", "role"))), ()),
        ("read web", ReadRole(path=ROLE), Role("web")),
        ("delete web --yes", DeleteRole(path=ROLE), None),
        ("role-id web", ReadRoleId(path=ROLE.child("role-id")), "r"),
        ("secret-id web", CreateSecretId(path=ROLE.child("secret-id")), SecretIdIssued("a", 0, 0, "s")),
    ],
)
def test_a_role_of_another_method_is_meant(
    gateway: Scripted, run: Callable[..., Any], words: str, operation: Operation[Any], answer: Any
) -> None:
    """With ``--method``."""
    gateway.answers[type(operation)] = answer
    result = run("approle", *words.split(), "--method", "ci")
    assert 0 == result.exit_code, result.stderr
    assert [operation] == gateway.asked


def test_a_role_of_another_method_is_changed(gateway: Scripted, run: Callable[..., Any]) -> None:
    """Read and written there."""
    gateway.answers[ReadRole] = Role("web", token_uses=5)
    assert 0 == run("approle", "write", "web", "--method", "ci", "--policy", "p").exit_code
    role = Role("web", ("p",), token_uses=5)
    assert [ReadRole(path=ROLE), WriteRole(path=ROLE, role=role)] == gateway.asked


def test_a_login_is_tried_at_the_method_named(gateway: Scripted, run: Callable[..., Any]) -> None:
    """And a refusal says what to check."""
    result = run("approle", "login", "--method", "ci", "--role-id", "r", input=b"s")
    assert 0 != result.exit_code
    assert [Login(path=Path(("auth", "ci", "login")), role_id="r", secret_id="s")] == gateway.asked


def test_a_login_method_that_is_not_there_is_looked_for_among_them(gateway: Scripted, run: Callable[..., Any]) -> None:
    """The roles of none cannot be listed, so their list shows nothing."""
    gateway.answers[ListRoles] = SecretNotFound("there is no way to log in at nosuch/")
    result = run("approle", "list", "--method", "nosuch")
    assert 0 != result.exit_code
    assert "wardgate auth list" in result.stderr


@pytest.mark.parametrize(
    "command",
    [["auth", "enable"], ["auth", "tune", "--max-ttl", "1h"], ["auth", "disable", "--yes"],
     ["namespace", "create"], ["namespace", "delete", "--yes"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "said"), [("", "is missing, such as"), ("/", "is missing"), ("a/b", "is one segment")]
)
def test_a_name_that_is_none_is_told_as_a_name(
    gateway: Scripted, run: Callable[..., Any], command: list[str], name: str, said: str
) -> None:
    """And not as a path, which nobody typed."""
    result = run(*command, name)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert said in result.stderr
