"""The endpoints of tokens, keys, AppRole, mounts, namespaces and policies."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from wardgate.spi.identity import Credential, Principal
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
from wardgate.spi.operations.base import Action, Rejected
from wardgate.spi.operations.keys import CreateKey, ListKeys, ReadKey, RevokeKey
from wardgate.spi.operations.methods import (
    DisableMethod,
    EnableMethod,
    ListMethods,
    MethodInfo,
    ReadMethod,
    TuneMethod,
)
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
    ReadCapabilities,
    ReadPolicy,
    Rule,
    WritePolicy,
)
from wardgate.spi.operations.system import ReadHealth, ReadSealStatus, Status
from wardgate.spi.operations.tokens import LookupSelf, RenewSelf, RevokeSelf, TokenInfo, TokenIssued
from wardgate.spi.path import Path

from tests.support.scripted import Request, Scripted

SECOND = 1_000_000_000
PRINCIPAL = Principal("id-1", "root", "ci", "key", ("app",), "accessor-1", 0, 60 * SECOND)
INFO = TokenInfo(PRINCIPAL, 30 * SECOND, 60 * SECOND, 0, renewable=True)
ISSUED = TokenIssued(INFO, "wg_shown_once")
ROLE = Role("web", ("app",), 60 * SECOND, 120 * SECOND, 30 * SECOND, 5)
RULE = Rule(Effect.DENY, ("read",), ("secret/**",))
MOUNT = MountInfo("m1", Path(("team", "kv")), "native", {"vault.kv": "2"}, {"token": "********"}, SECOND)
METHOD = MethodInfo("a1", "ci", "approle", "d", 60 * SECOND, 0, SECOND)
CI = Path(("sys", "auth", "ci"))
NAMESPACE = NamespaceInfo("n1", Path(("team-a",)), 0)
STATUS = Status(True, False, "0.1.0", "c1", "wardgate", "key-file")  # noqa: FBT003  # as the dataclass has them
ANSWERS: MappingProxyType[type, Any] = MappingProxyType({
    LookupSelf: INFO, RenewSelf: INFO, RevokeSelf: None,
    ListKeys: (INFO,), ReadKey: INFO, CreateKey: ISSUED, RevokeKey: None,
    ListRoles: ("web",), ReadRole: ROLE, WriteRole: None, DeleteRole: None, ReadRoleId: "role-1",
    CreateSecretId: SecretIdIssued("a1", 30 * SECOND, 5, "secret-1"), Login: ISSUED,
    ListMethods: (METHOD,), ReadMethod: METHOD, EnableMethod: METHOD, TuneMethod: METHOD, DisableMethod: None,
    ListMounts: (MOUNT,), ReadMount: MOUNT, CreateMount: MOUNT, DeleteMount: None,
    ListNamespaces: (NAMESPACE,), CreateNamespace: NamespaceCreated(NAMESPACE, ISSUED), DeleteNamespace: None,
    ListPolicies: ("app", "default"), ReadPolicy: Policy("app", (RULE,)), WritePolicy: None, DeletePolicy: None,
    ExplainPolicy: Explanation(False, "app", RULE, 3),  # noqa: FBT003
    ReadCapabilities: {"secret/a": frozenset({Action.WRITE, Action.READ})},
    ReadHealth: STATUS, ReadSealStatus: STATUS,
})  # fmt: skip


@pytest.fixture(autouse=True)
def _scripted(gateway: Scripted) -> None:
    gateway.answers.update(ANSWERS)


@pytest.mark.parametrize(
    ("method", "target", "body", "expected", "status"),
    [
        ("GET", "token", b"", LookupSelf(), 200),
        ("POST", "token/renew", b"", RenewSelf(), 200),
        ("POST", "token/renew", {"ttl_seconds": 5}, RenewSelf(increment=5 * SECOND), 200),
        ("POST", "token/revoke", b"", RevokeSelf(), 204),
        ("GET", "keys", b"", ListKeys(), 200),
        ("POST", "keys", {"name": "ci", "policies": ["app"]}, CreateKey(key_name="ci", policies=("app",)), 201),
        ("GET", "keys/k1", b"", ReadKey(path=Path(("auth", "keys", "k1"))), 200),
        ("DELETE", "keys/k1", b"", RevokeKey(path=Path(("auth", "keys", "k1"))), 204),
        ("GET", "approle/roles", b"", ListRoles(), 200),
        ("GET", "approle/roles/web", b"", ReadRole(path=Path(("auth", "approle", "role", "web"))), 200),
        (
            "PUT", "approle/roles/web",
            {
                "policies": ["app"], "token_ttl_seconds": 60, "token_max_ttl_seconds": 120,
                "secret_id_ttl_seconds": 30, "secret_id_uses": 5,
            },
            WriteRole(path=Path(("auth", "approle", "role", "web")), role=ROLE), 204,
        ),
        ("DELETE", "approle/roles/web", b"", DeleteRole(path=Path(("auth", "approle", "role", "web"))), 204),
        (
            "GET", "approle/roles/web/role-id", b"",
            ReadRoleId(path=Path(("auth", "approle", "role", "web", "role-id"))), 200,
        ),
        (
            "POST", "approle/roles/web/secret-ids", b"",
            CreateSecretId(path=Path(("auth", "approle", "role", "web", "secret-id"))), 201,
        ),
        ("POST", "approle/login", {"role_id": "r", "secret_id": "s"}, Login(role_id="r", secret_id="s"), 201),
        (
            "POST", "approle/login?method=ci", {"role_id": "r", "secret_id": "s"},
            Login(path=Path(("auth", "ci", "login")), role_id="r", secret_id="s"), 201,
        ),
        ("GET", "approle/roles?method=ci", b"", ListRoles(path=Path(("auth", "ci", "role"))), 200),
        ("GET", "approle/roles/web?method=ci", b"", ReadRole(path=Path(("auth", "ci", "role", "web"))), 200),
        (
            "POST", "approle/roles/web/secret-ids?method=ci", b"",
            CreateSecretId(path=Path(("auth", "ci", "role", "web", "secret-id"))), 201,
        ),
        ("GET", "auth-methods", b"", ListMethods(), 200),
        ("GET", "auth-methods/ci", b"", ReadMethod(path=CI), 200),
        ("POST", "auth-methods", {"name": "ci"}, EnableMethod(path=CI, type="approle"), 201),
        (
            "POST", "auth-methods",
            {
                "name": "ci", "type": "approle", "description": "d", "default_lease_ttl_seconds": 1,
                "max_lease_ttl_seconds": 2,
            },
            EnableMethod(
                path=CI, type="approle", description="d", default_lease_ttl=SECOND, max_lease_ttl=2 * SECOND
            ),
            201,
        ),
        ("PATCH", "auth-methods/ci", {}, TuneMethod(path=CI), 200),
        (
            "PATCH", "auth-methods/ci", {"description": "", "max_lease_ttl_seconds": 0},
            TuneMethod(path=CI, description="", max_lease_ttl=0), 200,
        ),
        ("DELETE", "auth-methods/ci", b"", DisableMethod(path=CI), 204),
        ("GET", "mounts", b"", ListMounts(), 200),
        ("GET", "mounts/team/kv", b"", ReadMount(path=Path(("sys", "mounts", "team", "kv"))), 200),
        ("DELETE", "mounts/team/kv", b"", DeleteMount(path=Path(("sys", "mounts", "team", "kv"))), 204),
        (
            "POST", "mounts", {"prefix": "team/kv/", "type": "native", "presentation": {"vault.kv": "2"}},
            CreateMount(
                path=Path(("sys", "mounts", "team", "kv")), type="native", options={}, presentation={"vault.kv": "2"}
            ),
            201,
        ),
        ("GET", "namespaces", b"", ListNamespaces(), 200),
        (
            "POST", "namespaces", {"name": "team-a"},
            CreateNamespace(path=Path(("sys", "namespaces", "team-a"))), 201,
        ),
        ("DELETE", "namespaces/team-a", b"", DeleteNamespace(path=Path(("sys", "namespaces", "team-a"))), 204),
        ("GET", "policies", b"", ListPolicies(), 200),
        ("GET", "policies/app", b"", ReadPolicy(path=Path(("sys", "policies", "app"))), 200),
        (
            "PUT", "policies/app", {"rules": [{"effect": "deny", "actions": ["read"], "paths": ["secret/**"]}]},
            WritePolicy(path=Path(("sys", "policies", "app")), policy=Policy("app", (RULE,))), 204,
        ),
        ("DELETE", "policies/app", b"", DeletePolicy(path=Path(("sys", "policies", "app"))), 204),
        (
            "POST", "explain", {"policies": ["app"], "action": "list", "path": "secret/a/"},
            ExplainPolicy(
                policies=("app",), asked_action=Action.LIST, asked_path=Path(("secret", "a")), asked_folder=True
            ),
            200,
        ),
        (
            "POST", "capabilities", {"paths": ["secret/a"]},
            ReadCapabilities(asked=(Path(("secret", "a")),)), 200,
        ),
        ("GET", "health", b"", ReadHealth(), 200),
        ("GET", "status", b"", ReadSealStatus(), 200),
    ],
)  # fmt: skip
def test_each_endpoint_asks_for_one_operation(
    gateway: Scripted, rest: Request, method: str, target: str, body: Any, expected: object, status: int
) -> None:
    """Method, path and body translate to exactly this, and its answer translates back."""
    assert rest(method, f"/api/v1/{target}", body).status == status
    assert gateway.asked == [expected]


def test_a_new_token_is_shown_once(rest: Request) -> None:
    """The token stands beside what is known of it; durations are whole seconds."""
    answer = rest("POST", "/api/v1/keys", {"name": "ci", "policies": []}).json()
    assert answer["token"] == "wg_shown_once"
    assert (30, "1970-01-01T00:01:00.000000Z") == (answer["info"]["ttl_seconds"], answer["info"]["expires_at"])
    assert rest("GET", "/api/v1/keys").json() == {"keys": [answer["info"]]}


def test_a_login_method_is_shown_in_whole_seconds(rest: Request) -> None:
    """With when it was enabled."""
    expected = {
        "id": "a1", "name": "ci", "type": "approle", "description": "d", "default_lease_ttl_seconds": 60,
        "max_lease_ttl_seconds": 0, "created_at": "1970-01-01T00:00:01.000000Z",
    }  # fmt: skip
    assert expected == rest("GET", "/api/v1/auth-methods/ci").json()
    assert {"methods": [expected]} == rest("GET", "/api/v1/auth-methods").json()


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "auth-methods", {}),
        ("POST", "auth-methods", {"name": "a/b"}),
        ("POST", "auth-methods", {"name": ".."}),
        ("POST", "auth-methods", {"name": "ci", "type": 5}),
        ("POST", "auth-methods", {"name": "ci", "max_lease_ttl_seconds": -1}),
        ("PATCH", "auth-methods/ci", {"name": "cd"}),
        ("GET", "approle/roles?method=", b""),
        ("GET", "approle/roles?method=a%2Fb", b""),
        ("GET", "approle/roles?method=..", b""),
        ("GET", "approle/roles?methods=ci", b""),
        ("POST", "approle/login?method=..%2Ftoken", {"role_id": "r"}),
    ],
)
def test_what_names_no_login_method_is_refused(
    gateway: Scripted, rest: Request, method: str, target: str, body: Any
) -> None:
    """With 400, and nothing but the refusal enters the road."""
    assert 400 == rest(method, f"/api/v1/{target}", body).status
    assert [Rejected] == [type(asked) for asked in gateway.asked]


def test_a_policy_reads_as_it_is_written(rest: Request) -> None:
    """The rules of an answer can be sent back; an empty condition is left out."""
    assert rest("GET", "/api/v1/policies/app").json() == {
        "name": "app",
        "built_in": False,
        "rules": [{"effect": "deny", "actions": ["read"], "paths": ["secret/**"]}],
    }


def test_an_explanation_names_the_rule(rest: Request) -> None:
    """Which rule of which policy decided, or null."""
    question = {"policies": ["app"], "action": "read", "path": "secret/a"}
    answer = rest("POST", "/api/v1/explain", question).json()
    assert (False, "app", ["secret/**"], 3) == (
        answer["allowed"], answer["policy"], answer["rule"]["paths"], answer["candidates"],
    )  # fmt: skip


def test_capabilities_are_sorted_names(rest: Request) -> None:
    """Keyed by the paths asked for."""
    answer = rest("POST", "/api/v1/capabilities", {"paths": ["secret/a"]}).json()
    assert answer == {"capabilities": {"secret/a": ["read", "write"]}}


@pytest.mark.parametrize(
    "header", [("Authorization", "Bearer wg_t"), ("authorization", "bearer  wg_t"), ("X-Vault-Token", "wg_t")]
)
def test_a_token_comes_as_bearer_or_as_vault_token(gateway: Scripted, rest: Request, header: tuple[str, str]) -> None:
    """Both spell the same credential."""
    rest("GET", "/api/v1/token", headers=(header,))
    assert gateway.credentials == [Credential("token", "wg_t")]


@pytest.mark.parametrize(("given", "expected"), [("team-a/", "team-a"), ("/a/b", "a/b"), ("", ""), ("/", "")])
def test_the_namespace_comes_in_its_header(gateway: Scripted, rest: Request, given: str, expected: str) -> None:
    """In its canonical form, whatever slashes stand around it."""
    rest("GET", "/api/v1/mounts", headers=(("X-Wardgate-Namespace", given),))
    assert gateway.namespaces == [expected]


def test_health_is_503_while_sealed(gateway: Scripted, rest: Request) -> None:
    """Load balancers read the status alone."""
    gateway.answers[ReadHealth] = Status(True, True, "0.1.0", "", "", "key-file")  # noqa: FBT003
    assert rest("GET", "/api/v1/health").status == 503
