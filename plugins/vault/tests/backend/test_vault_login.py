"""How the backend proves itself to a real OpenBao, and keeps itself proven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.backend import Backend, Health
from wardgate.spi.errors import PermissionDenied, SecretNotFound, Unauthenticated, Unavailable
from wardgate.spi.path import Path
from wardgate.spi.values import Value
from wardgate_vault.engine import NOT_SHOWN

from tests.servers.openbao import OpenBao

SECRET = Path.parse("app/db")
VALUE = Value(b'{"a": "b"}')
Opened = Callable[..., Backend]


class Store:
    """A fresh mount with one secret, and AppRole roles that may only read it."""

    def __init__(self, openbao: OpenBao) -> None:
        self.openbao = openbao
        self.mount = openbao.new_mount()
        openbao.call("POST", f"{self.mount}/data/{SECRET}", {"data": {"a": "b"}})

    def role(self, **settings: object) -> dict[str, str]:
        """Options of a mount that logs in as a new role."""
        policy = f'path "{self.mount}/*" {{ capabilities = ["read"] }}'
        _, role_id, secret_id = self.openbao.new_role(policy, **{"token_ttl": "60s", **settings})
        return {"address": self.openbao.address, "mount": self.mount, "role_id": role_id, "secret_id": secret_id}

    def asked(self, path: str) -> int:
        """How often the server was asked this, by its own audit."""
        return self.openbao.audit_log.read_text().count(f'"path":"{path}"') // 2


@pytest.fixture
def store(openbao: OpenBao) -> Store:
    return Store(openbao)


def read(backend: Backend) -> object:
    return asyncio.run(backend.read(SECRET)).value.fields()


def test_an_approle_logs_in_once(store: Store, opened: Opened) -> None:
    """However many ask at once, and however often."""
    backend = opened(**store.role())
    before = store.asked("auth/approle/login")

    async def many() -> None:
        await asyncio.gather(*(backend.read(SECRET) for _ in range(20)))

    asyncio.run(many())
    assert {"a": "b"} == read(backend)
    assert before + 1 == store.asked("auth/approle/login")


def test_a_token_is_renewed_when_two_thirds_of_its_life_have_passed(store: Store, opened: Opened, clock: Any) -> None:
    """Not before, and then again two thirds later; without another login."""
    backend = opened(**store.role())
    read(backend)
    logins, renewals = store.asked("auth/approle/login"), store.asked("auth/token/renew-self")
    for seconds, expected in ((39.0, 0), (2.0, 1), (38.0, 1), (3.0, 2)):
        clock.seconds += seconds
        assert {"a": "b"} == read(backend)
        assert renewals + expected == store.asked("auth/token/renew-self")
    assert logins == store.asked("auth/approle/login")


def test_a_token_that_cannot_be_renewed_is_replaced_in_time(store: Store, opened: Opened, clock: Any) -> None:
    """A batch token has one life; the next one is fetched while it still holds."""
    backend = opened(**store.role(token_type="batch"))
    read(backend)
    before = store.asked("auth/approle/login")
    clock.seconds += 41
    assert {"a": "b"} == read(backend)
    assert before + 1 == store.asked("auth/approle/login")


def test_a_given_token_is_renewed_too(store: Store, opened: Opened, clock: Any) -> None:
    """Its life is asked of the server."""
    issued = store.openbao.call("POST", "auth/token/create", {"ttl": "60s", "policies": ["root"]})
    backend = opened(address=store.openbao.address, mount=store.mount, token=issued["auth"]["client_token"])
    read(backend)
    before = store.asked("auth/token/renew-self")
    clock.seconds += 41
    assert {"a": "b"} == read(backend)
    assert before + 1 == store.asked("auth/token/renew-self")


def test_a_revoked_token_is_replaced_at_once(store: Store, opened: Opened, clock: Any) -> None:
    """The caller whose request met the refusal does not notice."""
    backend: Any = opened(**store.role())
    read(backend)
    store.openbao.call("POST", "auth/token/revoke-self", {}, token=backend._client._adapter.token)
    clock.seconds += 2
    assert {"a": "b"} == read(backend)


def test_a_refusal_by_policy_is_no_reason_to_log_in_again(store: Store, opened: Opened, clock: Any) -> None:
    """Else whoever asks for what is forbidden could spend the server's patience, and a counted secret id."""
    backend = opened(**store.role())
    read(backend)
    before = store.asked("auth/approle/login")
    clock.seconds += 5
    with pytest.raises(PermissionDenied):
        asyncio.run(backend.write(SECRET, VALUE))
    assert before == store.asked("auth/approle/login")


def test_a_refused_login_is_not_hammered(store: Store, opened: Opened, clock: Any) -> None:
    """It is a refusal of the gateway, said as one; the server locks out whoever keeps trying."""
    backend = opened(**{**store.role(), "secret_id": "no-such-secret-id"})
    before = store.asked("auth/approle/login")
    for seconds, expected in ((0.0, 1), (1.0, 1), (5.0, 2)):
        clock.seconds += seconds
        with pytest.raises(Unauthenticated, match="AppRole"):
            asyncio.run(backend.read(SECRET))
        assert before + expected == store.asked("auth/approle/login")


def test_a_wrong_token_is_a_refusal(store: Store, opened: Opened) -> None:
    """For reads, writes and in the health, which says so without the token."""
    backend = opened(address=store.openbao.address, mount=store.mount, token="wrong-canary")
    for attempt in (lambda: backend.read(SECRET), lambda: backend.write(SECRET, VALUE)):
        with pytest.raises(PermissionDenied) as refused:
            asyncio.run(attempt())
        assert "canary" not in str(refused.value)
    health = asyncio.run(backend.health())
    assert Health(ok=False, detail=NOT_SHOWN) == health


def test_a_namespace_has_its_own_mounts(openbao: OpenBao, opened: Opened) -> None:
    """The same mount name in two namespaces is two stores."""
    openbao.call("POST", "sys/namespaces/team", {})
    own = openbao.new_mount(namespace="team")
    within = opened(address=openbao.address, token=openbao.token, mount=own, namespace="team")
    outside = opened(address=openbao.address, token=openbao.token, mount=openbao.new_mount())
    assert asyncio.run(within.health()).ok
    asyncio.run(within.write(SECRET, VALUE))
    assert {"a": "b"} == read(within)
    with pytest.raises(SecretNotFound):
        read(outside)


@pytest.mark.parametrize(
    ("mount", "detail"),
    [("nowhere", "does not show the configured mount"), ("sys", "not a KV version 2"), ("one", "not a KV version 2")],
)
def test_health_tells_a_wrong_mount(openbao: OpenBao, opened: Opened, mount: str, detail: str) -> None:
    """A typing mistake shows when the mount is made, not when the first secret is missing."""
    if mount == "one":
        openbao.call("POST", "sys/mounts/one", {"type": "kv", "options": {"version": "1"}})
    health = asyncio.run(opened(address=openbao.address, token=openbao.token, mount=mount).health())
    assert not health.ok
    assert detail in health.detail


def test_tls_with_a_custom_authority(openbao_tls: OpenBao, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only ``ca_file`` makes it trusted: what the environment says of authorities does not count."""
    assert openbao_tls.ca_file is not None
    mount = openbao_tls.new_mount()
    options = {"address": openbao_tls.address, "token": openbao_tls.token, "mount": mount}
    trusting = opened(**options, ca_file=str(openbao_tls.ca_file))
    asyncio.run(trusting.write(SECRET, VALUE))
    assert {"a": "b"} == read(trusting)
    assert asyncio.run(trusting.health()).ok
    for name in ("VAULT_CACERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(openbao_tls.ca_file))
    monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
    stranger = opened(**options)
    for attempt in (lambda: stranger.read(SECRET), lambda: stranger.write(SECRET, VALUE)):
        with pytest.raises(Unavailable, match="certificate is not trusted"):
            asyncio.run(attempt())
