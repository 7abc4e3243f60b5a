"""Endpoints of tokens that tokens make, of roles with bounds, and of secret ids."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from wardgate.spi.identity import Principal
from wardgate.spi.operations.approle import (
    ROLES,
    CreateSecretId,
    DestroySecretId,
    ListSecretIds,
    LookupSecretId,
    ReadRole,
    Role,
    SecretIdInfo,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.tokens import (
    CreateOrphan,
    CreateToken,
    ListAccessors,
    LookupAccessor,
    RenewAccessor,
    RevokeAccessor,
    TokenInfo,
    TokenIssued,
)

from tests.support.scripted import Request, Scripted

SECOND = 1_000_000_000
PRINCIPAL = Principal("id-1", "root", "job", "key", ("app",), "acc-1", 0, 60 * SECOND, networks=("10.0.0.0/8",))
INFO = TokenInfo(
    PRINCIPAL, 30 * SECOND, 60 * SECOND, 0, renewable=True, explicit_max_ttl=90 * SECOND, period=60 * SECOND,
    kind="token", orphan=False, meta={"a": "b"},
)  # fmt: skip
ROLE = Role(
    "web", ("app",), token_period=60 * SECOND, token_explicit_max_ttl=90 * SECOND, token_uses=3,
    token_networks=("10.0.0.0/8",), secret_id_networks=("10.1.0.0/16",), bind_to_source=False,
)  # fmt: skip
KNOWN = SecretIdInfo("acc-2", 0, 60 * SECOND, 0, 2, ("10.0.0.1",), (), {"env": "prod"})
ANSWERS: MappingProxyType[type, Any] = MappingProxyType({
    CreateToken: TokenIssued(INFO, "wg_shown_once"), CreateOrphan: TokenIssued(INFO, "wg_shown_once"),
    ListAccessors: ("acc-1",), LookupAccessor: INFO, RenewAccessor: INFO, RevokeAccessor: None,
    ReadRole: ROLE, WriteRole: None, CreateSecretId: SecretIdIssued("acc-2", 0, 2, "shown-once"),
    ListSecretIds: ("acc-2",), LookupSecretId: KNOWN, DestroySecretId: None,
})  # fmt: skip
WEB = ROLES.child("web")
BOUNDS = {
    "token_period_seconds": 60, "token_explicit_max_ttl_seconds": 90, "token_uses": 3, "token_networks": ["10.0.0.0/8"],
    "secret_id_networks": ["10.1.0.0/16"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _scripted(gateway: Scripted) -> None:
    gateway.answers.update(ANSWERS)


@pytest.mark.parametrize(
    ("method", "target", "body", "expected", "status"),
    [
        ("POST", "tokens", b"", CreateToken(), 201),
        (
            "POST", "tokens",
            {
                "name": "job", "policies": ["app"], "ttl_seconds": 60, "period_seconds": 30, "uses": 2,
                "explicit_max_ttl_seconds": 90, "renewable": False, "meta": {"a": "b"},
            },
            CreateToken(
                display_name="job", policies=("app",), ttl=60 * SECOND, period=30 * SECOND, uses=2,
                explicit_max_ttl=90 * SECOND, renewable=False, meta={"a": "b"},
            ),
            201,
        ),
        ("POST", "tokens", {"orphan": True}, CreateOrphan(), 201),
        ("GET", "tokens", b"", ListAccessors(), 200),
        ("GET", "tokens/acc-1", b"", LookupAccessor(accessor="acc-1"), 200),
        ("POST", "tokens/acc-1/renew", b"", RenewAccessor(accessor="acc-1"), 200),
        (
            "POST", "tokens/acc-1/renew", {"ttl_seconds": 5},
            RenewAccessor(accessor="acc-1", increment=5 * SECOND), 200,
        ),
        ("DELETE", "tokens/acc-1", b"", RevokeAccessor(accessor="acc-1"), 204),
        ("PUT", "approle/roles/web", {"policies": ["app"], **BOUNDS}, WriteRole(path=WEB, role=ROLE), 204),
        (
            "POST", "approle/roles/web/secret-ids",
            {
                "ttl_seconds": 60, "uses": 2, "networks": ["10.0.0.1"], "token_networks": ["10.0.0.2"],
                "metadata": {"env": "prod"},
            },
            CreateSecretId(
                path=WEB.child("secret-id"), ttl=60 * SECOND, uses=2, networks=("10.0.0.1",),
                token_networks=("10.0.0.2",), metadata={"env": "prod"},
            ),
            201,
        ),
        ("GET", "approle/roles/web/secret-ids", b"", ListSecretIds(path=WEB.child("secret-id")), 200),
        (
            "POST", "approle/roles/web/secret-ids/lookup", {"accessor": "acc-2"},
            LookupSecretId(path=WEB.child("secret-id-accessor").child("lookup"), accessor="acc-2"), 200,
        ),
        (
            "POST", "approle/roles/web/secret-ids/destroy", {"accessor": "acc-2"},
            DestroySecretId(path=WEB.child("secret-id-accessor").child("destroy"), accessor="acc-2"), 204,
        ),
    ],
)  # fmt: skip
def test_each_endpoint_of_identity_asks_for_one_operation(
    gateway: Scripted, rest: Request, method: str, target: str, body: Any, expected: object, status: int
) -> None:
    """Method, path and body translate to exactly this, and its answer translates back."""
    assert rest(method, f"/api/v1/{target}", body).status == status
    assert gateway.asked == [expected]


def test_a_token_shows_its_bounds(rest: Request) -> None:
    """Whole seconds, and no token."""
    answer = rest("GET", "/api/v1/tokens/acc-1").json()
    assert (60, 90, False) == (answer["period_seconds"], answer["explicit_max_ttl_seconds"], answer["orphan"])
    assert (["10.0.0.0/8"], {"a": "b"}) == (answer["networks"], answer["meta"])


def test_a_role_is_read_as_it_is_written(rest: Request) -> None:
    """What a GET answers, a PUT takes, without its name."""
    answer = rest("GET", "/api/v1/approle/roles/web").json()
    assert BOUNDS == {name: answer[name] for name in BOUNDS}
    assert "web" == answer.pop("name")
    assert 204 == rest("PUT", "/api/v1/approle/roles/web", answer).status


def test_a_bound_below_a_second_stays_one(gateway: Scripted, rest: Request) -> None:
    """Shown as 0 and written back, it would be none."""
    gateway.answers[ReadRole] = Role("web", token_period=1, token_ttl=SECOND, secret_id_ttl=SECOND + 1)
    answer = rest("GET", "/api/v1/approle/roles/web").json()
    assert (1, 1, 2) == (answer["token_period_seconds"], answer["token_ttl_seconds"], answer["secret_id_ttl_seconds"])


def test_a_secret_id_is_known_by_its_accessor(rest: Request) -> None:
    """All but itself."""
    answer = rest("POST", "/api/v1/approle/roles/web/secret-ids/lookup", {"accessor": "acc-2"}).json()
    assert ("1970-01-01T00:01:00.000000Z", 2, {"env": "prod"}) == (
        answer["expires_at"], answer["uses_left"], answer["metadata"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("tokens", {"uses": -1}),
        ("tokens", {"meta": {"a": 1}}),
        ("tokens", {"polices": []}),
        ("tokens", {"name": ""}),
        ("approle/roles/web/secret-ids", {"uses": 2**31}),
        ("approle/roles/web/secret-ids", {"networks": "10.0.0.1"}),
        ("approle/roles/web/secret-ids/lookup", {}),
    ],
)
def test_a_body_that_makes_no_sense_asks_for_nothing(
    gateway: Scripted, rest: Request, target: str, body: object
) -> None:
    """Refused as it is read."""
    assert 400 == rest("POST", f"/api/v1/{target}", body).status
    assert [] == [operation for operation in gateway.asked if type(operation) in ANSWERS]
