"""``namespace``, ``mount``, ``key``, ``approle`` and ``policy``: what is asked and what is printed."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

import pytest
from click.testing import Result
from wardgate.cli import terminal
from wardgate.spi.errors import InvalidValue, PermissionDenied, Unauthenticated, Unavailable, WardgateError
from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.identity import Principal
from wardgate.spi.operations.approle import (
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
)
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.keys import CreateKey, ListKeys, RevokeKey
from wardgate.spi.operations.mounts import CreateMount, DeleteMount, ListMounts, MountInfo, ReadMount
from wardgate.spi.operations.namespaces import (
    CreateNamespace,
    DeleteNamespace,
    ListNamespaces,
    NamespaceCreated,
    NamespaceInfo,
)
from wardgate.spi.operations.policies import (
    DeletePolicy,
    Effect,
    ExplainPolicy,
    Explanation,
    ListPolicies,
    Policy,
    ReadPolicy,
    Rule,
    WritePolicy,
)
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.options import option as declared
from wardgate.spi.path import Path

from tests.support.scripted import Scripted

Run = Callable[..., Result]
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
ISSUED = TokenIssued(
    TokenInfo(Principal("id-1", "root", "ci", "key", ("app",), "a1"), 0, 0, 0, renewable=False), "wg_new"
)
RULE = Rule(Effect.DENY, ("read",), ("secret/**",))
MOUNT = MountInfo("m1", Path(("team", "kv")), "native", {"vault.kv": "2"}, {"token": "********"}, 0)
NAMESPACE = NamespaceInfo("n1", Path(("team-a",)), 0)
ROLE = Role("web", ("app",), token_ttl=3_600 * SECOND, secret_id_uses=5)
ROLE_PATH = Path(("auth", "approle", "role", "web"))
ANSWERS: MappingProxyType[type, Any] = MappingProxyType({
    ListKeys: (ISSUED.info,), CreateKey: ISSUED, RevokeKey: None,
    ListRoles: ("web",), ReadRole: ROLE, DeleteRole: None, ReadRoleId: "role-1",
    CreateSecretId: SecretIdIssued("a1", 0, 0, "secret-1"), Login: ISSUED,
    ListMounts: (MOUNT,), ReadMount: MOUNT, CreateMount: MOUNT, DeleteMount: None,
    ListNamespaces: (NAMESPACE,), CreateNamespace: NamespaceCreated(NAMESPACE, ISSUED), DeleteNamespace: None,
    ListPolicies: ("app",), ReadPolicy: Policy("app", (RULE,)), WritePolicy: None, DeletePolicy: None,
    ExplainPolicy: Explanation(allowed=False, policy="app", rule=RULE, candidates=3),
})  # fmt: skip


@pytest.fixture(autouse=True)
def _scripted(gateway: Scripted) -> None:
    gateway.answers.update(ANSWERS)


@pytest.mark.parametrize(
    ("command", "expected", "stdout"),
    [
        ("namespace list", ListNamespaces(), "team-a\tn1\t1970-01-01T00:00:00.000000Z\n"),
        ("namespace create team-a", CreateNamespace(path=Path(("sys", "namespaces", "team-a"))), "wg_new\n"),
        ("namespace delete team-a --yes", DeleteNamespace(path=Path(("sys", "namespaces", "team-a"))), ""),
        ("mount list", ListMounts(), "team/kv\tnative\tvault.kv=2\topen\t\n".replace("kv\tn", "kv/\tn")),
        ("mount remove team/kv/ --yes", DeleteMount(path=Path(("sys", "mounts", "team", "kv"))), ""),
        (
            "mount add team/kv --type native --option a=b --option n:=5 --present vault.kv=2",
            CreateMount(
                path=Path(("sys", "mounts", "team", "kv")), type="native", options={"a": "b", "n": 5},
                presentation={"vault.kv": "2"},
            ),
            "",
        ),
        ("key list", ListKeys(), "id-1\tci\tapp\t1970-01-01T00:00:00.000000Z\tnever\n"),
        ("key create ci --policy app", CreateKey(key_name="ci", policies=("app",), ttl=90 * DAY), "wg_new\n"),
        ("key create ci --policy app --ttl never", CreateKey(key_name="ci", policies=("app",)), "wg_new\n"),
        (
            "key create ci --policy app --policy b --ttl 1h30m",
            CreateKey(key_name="ci", policies=("app", "b"), ttl=5_400 * SECOND), "wg_new\n",
        ),
        ("key revoke k1 --yes", RevokeKey(path=Path(("auth", "keys", "k1"))), ""),
        ("approle list", ListRoles(), "web\n"),
        ("approle delete web --yes", DeleteRole(path=ROLE_PATH), ""),
        ("approle role-id web", ReadRoleId(path=ROLE_PATH.child("role-id")), "role-1\n"),
        ("approle secret-id web", CreateSecretId(path=ROLE_PATH.child("secret-id")), "secret-1\n"),
        ("policy list", ListPolicies(), "app\n"),
        ("policy delete app --yes", DeletePolicy(path=Path(("sys", "policies", "app"))), ""),
        (
            "policy explain read secret/a --policy app",
            ExplainPolicy(policies=("app",), asked_action=Action.READ, asked_path=Path(("secret", "a"))),
            "denied by policy app: deny read on secret/**\n",
        ),
    ],
)  # fmt: skip
def test_each_command_asks_for_one_operation(
    gateway: Scripted, run: Run, command: str, expected: object, stdout: str
) -> None:
    """And prints its answer into a pipe as plain lines: what is shown once stands alone on stdout."""
    result = run(*command.split())
    assert (0, stdout) == (result.exit_code, result.stdout)
    assert gateway.asked == [expected]


@pytest.mark.parametrize("command", ["mount show team/kv", "approle read web", "policy read app"])
def test_what_is_shown_names_its_facts(run: Run, command: str) -> None:
    """Secret options are asterisks as they came."""
    result = run(*command.split())
    assert result.exit_code == 0
    assert any(fact in result.stdout for fact in ("********", "token_ttl_seconds", "secret/**"))


@pytest.mark.parametrize(
    "command",
    ["namespace list", "mount list", "mount show team/kv", "key list", "approle list", "approle read web",
     "approle role-id web", "approle secret-id web", "policy list", "policy read app", "key create a --policy b",
     "namespace create a", "key revoke a --yes", "policy explain read a", "mount add a --type native"],
)  # fmt: skip
def test_json_is_one_document(run: Run, command: str) -> None:
    """On every command."""
    result = run(*command.split(), "--json")
    assert (0, "") == (result.exit_code, result.stderr)
    assert json.loads(result.stdout)


def test_a_login_needs_no_token_and_takes_its_secret_from_stdin(gateway: Scripted, run: Run) -> None:
    """The secret id is never an argument."""
    result = run("approle", "login", "--role-id", "r", input=b"s\n", env={"WARDGATE_TOKEN": None})
    assert (0, "wg_new\n") == (result.exit_code, result.stdout)
    assert gateway.asked == [Login(role_id="r", secret_id="s")]
    assert gateway.credentials == [None]


def test_a_mount_s_secret_option_comes_from_a_file(gateway: Scripted, run: Run, tmp_path: FilePath) -> None:
    """Without its final line break: an option is one line."""
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    run("mount", "add", "a", "--type", "vault", "--option", f"token=@{file}")
    asked = gateway.asked[0]
    assert isinstance(asked, CreateMount)
    assert asked.options == {"token": "s3cret"}


@pytest.mark.parametrize(
    "text",
    [
        '{"rules": [{"effect": "deny", "actions": ["read"], "paths": ["secret/**"]}]}',
        'name = "app"\n[[rules]]\neffect = "deny"\nactions = ["read"]\npaths = ["secret/**"]\n',
    ],
)
def test_a_policy_is_written_from_toml_or_json(gateway: Scripted, run: Run, text: str) -> None:
    """From a file or stdin."""
    assert run("policy", "write", "app", "-", input=text.encode()).exit_code == 0
    assert gateway.asked == [WritePolicy(path=Path(("sys", "policies", "app")), policy=Policy("app", (RULE,)))]


@pytest.mark.parametrize("text", ["{", "rules = 5", '{"rulez": []}', "[[rules]]\neffect = 'maybe'"])
def test_a_bad_policy_is_not_even_sent(gateway: Scripted, run: Run, text: str) -> None:
    """The structure is checked here, with the same sentences."""
    assert run("policy", "write", "app", "-", input=text.encode()).exit_code == 2
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            b'name = "a"\n[[rules]\n',
            "p is not TOML: Expected ']]' at the end of an array declaration (at line 2, column 8)",
        ),
        (b'{"rules": [\n  canary }', "p is not JSON: line 2, column 3"),
        (b'{"rules": [], "rules": []}', "p is not JSON: the JSON has the same key twice in one object"),
        (b"\xff", "p is not UTF-8 text"),
        (b'path "secret/*" {\n  capabilities = ["read"]\n}', "is written by `bao policy write NAME FILE`."),
    ],
)
def test_a_broken_policy_is_told_by_file_and_place(
    gateway: Scripted, run: Run, tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch, text: bytes, says: str
) -> None:
    """Where it breaks off, and not what stands there."""
    monkeypatch.chdir(tmp_path)
    FilePath("p").write_bytes(text)
    result = run("policy", "write", "app", "p")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert says in result.stderr
    assert "canary" not in result.stderr


@pytest.mark.parametrize(
    ("words", "check"), [((), "all"), (("--check", "reading"), "reading"), (("--check", "none"), "none")]
)
def test_how_a_mount_is_checked_is_asked_for(gateway: Scripted, run: Run, words: tuple[str, ...], check: str) -> None:
    """For all permissions, where nothing is said."""
    assert 0 == run("mount", "add", "a", "--type", "native", *words).exit_code
    asked = gateway.asked[0]
    assert isinstance(asked, CreateMount)
    assert check == asked.check


@pytest.mark.parametrize("option", ["token=canary", 'token:="canary"', "token="])
def test_a_mount_s_secret_option_is_not_an_argument(gateway: Scripted, run: Run, option: str) -> None:
    """The type's own description says which are secret."""
    result = run("mount", "add", "a", "--type", "vault", "--option", option)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "write token=- (stdin or prompt) or token=@FILE" in result.stderr
    assert "canary" not in result.stderr


def test_a_type_that_only_the_gateway_knows_is_left_to_it(gateway: Scripted, run: Run, tmp_path: FilePath) -> None:
    """Its plugins may be others than those of this machine."""
    (tmp_path / "port").write_text("5\n")
    options = ["--option", "token=-", "--option", f"port:=@{tmp_path / 'port'}"]
    assert 0 == run("mount", "add", "a", "--type", "elsewhere", *options, input=b"x").exit_code
    asked = gateway.asked[0]
    assert isinstance(asked, CreateMount)
    assert {"token": "x", "port": 5} == asked.options


@pytest.mark.parametrize("option", ["secret_key=canary", 'secret_key:="canary"', "secret_key="])
def test_no_option_of_an_unknown_type_is_an_argument(gateway: Scripted, run: Run, option: str) -> None:
    """Nobody here knows which of them are secret."""
    result = run("mount", "add", "a", "--type", "elsewhere", "--option", option)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "write secret_key=- (stdin or prompt) or secret_key=@FILE" in result.stderr
    assert "canary" not in result.stderr


@dataclass(frozen=True, slots=True)
class OutsideOptions:
    """Of a store whose plugin nobody loads by default."""

    region: str = declared(help="Where.")
    secret_key: str = declared(help="What opens it.", secret=True)


def never(*_: Any) -> Any:
    """Opens nothing: the type is only described."""
    raise NotImplementedError


class Outside:
    """A plugin of somebody else's."""

    @staticmethod
    @hookimpl
    def backend_type() -> list[BackendType]:
        return [BackendType(name="outside", help="", open=never, options=OutsideOptions)]


def test_an_installed_plugin_that_is_no_default_says_what_is_secret(
    gateway: Scripted, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own description is looked up, whichever is broken beside it."""
    real = importlib.metadata.entry_points
    group = "wardgate.plugins"
    others = [
        importlib.metadata.EntryPoint("broken", "no_such_module", group),
        importlib.metadata.EntryPoint("outside", f"{__name__}:Outside", group),
    ]

    def entry_points(**wanted: Any) -> importlib.metadata.EntryPoints:
        found = importlib.metadata.EntryPoints([*real(group=group), *others])
        return found.select(**wanted)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    result = run("mount", "add", "a", "--type", "outside", "--option", "secret_key=canary")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "write secret_key=-" in result.stderr
    options = ["--option", "region=x", "--option", "secret_key=-"]
    assert 0 == run("mount", "add", "a", "--type", "outside", *options, input=b"y").exit_code
    asked = gateway.asked[0]
    assert isinstance(asked, CreateMount)
    assert {"region": "x", "secret_key": "y"} == asked.options


def test_a_key_s_id_stays_on_one_line(gateway: Scripted, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a screen of 80 columns, whatever the others need: it is there to be copied."""
    monkeypatch.setattr(terminal, "somebody_reads", lambda: True)
    principal = Principal("0123456789abcdef" * 2, "root", "payments-reader", "key", ("payments", "other"), "a1")
    gateway.answers[ListKeys] = (TokenInfo(principal, 0, 0, 0, renewable=False),)
    shown = run("key", "list", env={"COLUMNS": "80"}).stdout
    assert principal.id in shown
    assert [] == [line for line in shown.splitlines() if len(line) > 80]


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_no_column_of_a_table_is_dropped(
    gateway: Scripted, run: Run, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """However narrow the terminal: it is told when a key ends, to the second and on one line."""
    monkeypatch.setattr(terminal, "somebody_reads", lambda: True)
    ends = 1_800_000_000 * 10**9 + 1
    policies = ("payments", "other")
    principal = Principal("k" * 32, "root", "payments-reader", "key", policies, "a1", 1, expires_at=ends)
    gateway.answers[ListKeys] = (TokenInfo(principal, 0, 0, 0, renewable=False),)
    shown = run("key", "list", env={"COLUMNS": columns}).stdout
    assert [] == [text for text in ("k" * 32, "Created", "Ends", "2027-01-15T08:00:00Z") if text not in shown]


def test_a_login_that_is_refused_speaks_of_the_ids(gateway: Scripted, run: Run) -> None:
    """No token was shown, so none is wrong."""
    gateway.answers[Login] = Unauthenticated("invalid role or secret ID")
    result = run("approle", "login", "--role-id", "r", input=b"s\n")
    assert 4 == result.exit_code
    assert "Check both ids; a secret id may be expired or used up." in result.stderr
    assert "token" not in result.stderr


@pytest.mark.parametrize(("expect", "code"), [("deny", 0), ("allow", 1)])
def test_policy_tests_run_without_a_gateway(run: Run, tmp_path: FilePath, expect: str, code: int) -> None:
    """Ends in 1 when a test fails, and says which."""
    (tmp_path / "p.toml").write_text(
        'name = "p"\n[[rules]]\neffect = "deny"\nactions = ["read"]\npaths = ["secret/**"]\n'
    )
    file = tmp_path / "p.test.toml"
    file.write_text(
        f'load = ["p.toml"]\n[[test]]\npolicies = ["p"]\naction = "read"\npath = "secret/a"\nexpect = "{expect}"\n'
    )
    result = run("policy", "test", str(file))
    assert (code, f"1 test, {code} failed") == (result.exit_code, result.stdout.splitlines()[-1])
    assert json.loads(run("policy", "test", "--json", str(file)).stdout)["ran"] == 1
    if code:
        assert "test 1: read secret/a is deny, not allow (by rule 1 of p)" in result.stdout
    linted = run("policy", "lint", str(file))
    assert (2, True) == (linted.exit_code, f"`wardgate policy test {file}` runs them." in linted.stderr)


@pytest.mark.parametrize("ttl", ["1", "x", "-1h", "1h x", "1.5h", ""])
def test_a_duration_is_written_rightly(gateway: Scripted, run: Run, ttl: str) -> None:
    """Or it is a usage error."""
    assert run("key", "create", "a", "--policy", "b", "--ttl", ttl).exit_code == 2
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (PermissionDenied("the mount was not made: the store does not accept it"), "credential that the store accepts"),
        (Unavailable("the mount was not made: the store cannot be reached"), "reached from the gateway's machine"),
        (InvalidValue("mount a/: option 'size' must be a whole number"), "NAME:=1"),
        (PermissionDenied("no policy of this token allows it"), "Ask an administrator for a policy"),
    ],
)
def test_a_mount_that_was_not_made_says_what_to_do(
    gateway: Scripted, run: Run, error: WardgateError, hint: str
) -> None:
    """What a store refuses is none of the gateway's policies."""
    gateway.answers[CreateMount] = error
    ended = run("mount", "add", "a", "--type", "native")
    assert (True, True) == (error.message in ended.stderr, hint in ended.stderr)
