"""What a program with an unmodified hvac does: each scenario over any backend.

A scenario takes a client, the prefix of a mount and what the mount's backend can do, and raises AssertionError. Where
the backend cannot, the scenario expects the refusal, never silence.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import hvac
import hvac.exceptions
import pytest
from wardgate.spi.capabilities import Capabilities

SECONDS = 60.0
VALUE: Mapping[str, Any] = {
    "user": "ann",
    "port": 5432,
    "ratio": 0.25,
    "none": None,
    "tags": ["a", "ü"],
    "deep": {"x": True},
}


def client(base_url: str, token: str, *, namespace: str | None = None) -> hvac.Client:
    """Hvac as a program would make it, with no look into the environment."""
    made = hvac.Client(url=base_url, token=token, timeout=SECONDS, namespace=namespace)
    # hvac picks up ~/.vault-token when it is given an empty token.
    made.token = token
    return made


def another(known: hvac.Client, token: str) -> hvac.Client:
    """A client of the same gateway and namespace with another token."""
    return client(known.url, token, namespace=known.adapter.namespace)


def new_path() -> str:
    """A path nobody else uses."""
    return f"clients-{uuid.uuid4().hex[:12]}"


def refused(supported: bool) -> AbstractContextManager[object]:  # noqa: FBT001  # reads as "refused unless supported"
    """What is inside works when it is supported, and is refused as an unsupported operation when it is not."""
    if supported:
        return nullcontext()
    return pytest.raises(hvac.exceptions.VaultError, match="unsupported operation")


def not_found(ask: Callable[[], object]) -> str:
    """What hvac raises for a 404, as text."""
    with pytest.raises(hvac.exceptions.InvalidPath) as raised:
        ask()
    return str(raised.value)


def kv2_round_trip(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """What was written is what is read, in the current version."""
    kv, path = client.secrets.kv.v2, new_path()

    written = kv.create_or_update_secret(path, VALUE, mount_point=mount)
    read = kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)

    assert written["data"]["version"] == read["data"]["metadata"]["version"] == 1
    assert read["data"]["data"] == VALUE
    assert read["data"]["metadata"]["destroyed"] is False


def kv2_replaced(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """A second write is a second version; the first is still to be had where the store keeps it."""
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"n": "1"}, mount_point=mount)

    assert kv.create_or_update_secret(path, {"n": "2"}, mount_point=mount)["data"]["version"] == 2
    current = kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
    assert current["data"]["data"] == {"n": "2"}
    with refused(capabilities.versions):
        first = kv.read_secret_version(path, version=1, mount_point=mount, raise_on_deleted_version=True)
        assert first["data"]["data"] == {"n": "1"}


def kv2_check_and_set(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """The slower of two writers is told; a store that could not tell refuses to try."""
    kv, path = client.secrets.kv.v2, new_path()

    with refused(capabilities.compare_and_set):
        kv.create_or_update_secret(path, {"n": "1"}, cas=0, mount_point=mount)
        kv.create_or_update_secret(path, {"n": "2"}, cas=1, mount_point=mount)
        for stale in (0, 1, 7):
            with pytest.raises(hvac.exceptions.InvalidRequest, match="did not match the current version"):
                kv.create_or_update_secret(path, {"n": "3"}, cas=stale, mount_point=mount)


def kv2_absent(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """What is not there is hvac's InvalidPath, for a read and for a list."""
    kv = client.secrets.kv.v2

    not_found(lambda: kv.read_secret_version(new_path(), mount_point=mount, raise_on_deleted_version=True))
    with refused(capabilities.list):
        not_found(lambda: kv.list_secrets(new_path(), mount_point=mount))


def kv2_deleted(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """A deleted secret is not read; it comes back where the store can undelete, and is gone where it cannot."""
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"n": "1"}, mount_point=mount)

    kv.delete_latest_version_of_secret(path, mount_point=mount)
    not_found(lambda: kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True))
    with refused(capabilities.undelete):
        kv.undelete_secret_versions(path, [1], mount_point=mount)
        read = kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
        assert read["data"]["data"] == {"n": "1"}


def kv2_deleted_shows_its_metadata(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Hvac reads the metadata of a deleted version out of the 404."""
    if not capabilities.undelete:
        return
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"n": "1"}, mount_point=mount)
    kv.delete_secret_versions(path, [1], mount_point=mount)

    read = kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=False)

    assert read["data"]["data"] is None
    assert read["data"]["metadata"]["deletion_time"]


def kv2_destroyed(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """A destroyed version says so and stays so; a store that cannot destroy refuses."""
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"n": "1"}, mount_point=mount)

    with refused(capabilities.destroy):
        kv.destroy_secret_versions(path, [1], mount_point=mount)
        gone = not_found(lambda: kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True))
        assert '"destroyed":true' in gone
        kv.delete_metadata_and_all_versions(path, mount_point=mount)


def kv2_metadata(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Labels and settings come back as they were set, where the store keeps them."""
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"n": "1"}, mount_point=mount)

    with refused(capabilities.labels and capabilities.settings):
        kv.update_metadata(
            path, max_versions=4, cas_required=False, delete_version_after="24h", custom_metadata={"team": "a"},
            mount_point=mount,
        )  # fmt: skip
    with refused(capabilities.describe):
        described = kv.read_secret_metadata(path, mount_point=mount)["data"]
        assert described["current_version"] == 1
        assert set(described["versions"]) == {"1"}
        if capabilities.labels and capabilities.settings:
            assert described["custom_metadata"] == {"team": "a"}
            assert (described["max_versions"], described["delete_version_after"]) == (4, "24h0m0s")


def kv2_listed(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Hvac lists with the verb LIST; folders end in a slash."""
    kv, path = client.secrets.kv.v2, new_path()
    for name in ("b", "a", "a/below"):
        kv.create_or_update_secret(f"{path}/{name}", {"n": "1"}, mount_point=mount)

    with refused(capabilities.list):
        assert kv.list_secrets(path, mount_point=mount)["data"]["keys"] == ["a", "a/", "b"]


def hvac_approle(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """A machine logs in with a role, looks at its token, renews it, and gives it back."""
    name = new_path()
    roles = client.auth.approle
    roles.create_or_update_approle(name, token_policies=["default"], token_ttl="10m", token_max_ttl="1h")
    assert name in roles.list_roles()["data"]["keys"]
    assert roles.read_role(name)["data"]["token_ttl"] == 600
    role_id = roles.read_role_id(name)["data"]["role_id"]
    secret_id = roles.generate_secret_id(name)["data"]["secret_id"]

    machine = another(client, "")
    login = machine.auth.approle.login(role_id, secret_id)
    assert machine.token == login["auth"]["client_token"]
    assert machine.is_authenticated()
    assert machine.auth.token.lookup_self()["data"]["meta"] == {"role_name": name}
    assert machine.auth.token.renew_self(increment=60)["auth"]["lease_duration"] <= 60
    machine.auth.token.revoke_self()
    assert not machine.is_authenticated()
    roles.delete_role(name)


def hvac_wrong_login(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Wrong ids are hvac's InvalidRequest; a wrong token its Forbidden."""
    with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid role or secret ID"):
        another(client, "").auth.approle.login("no-such-role", "no-such-secret")
    with pytest.raises(hvac.exceptions.Forbidden, match="permission denied"):
        another(client, "not-a-token").secrets.kv.v2.read_configuration(mount_point=mount)


def hvac_system(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """What programs ask before they begin: health, seal, mounts, capabilities."""
    system = client.sys
    assert system.is_initialized()
    assert not system.is_sealed()
    assert system.read_health_status(method="GET")["sealed"] is False
    assert system.read_health_status(method="HEAD").status_code == 200
    assert "ha_enabled" in system.read_leader_status()
    listed = system.list_mounted_secrets_engines()
    assert listed["data"][f"{mount}/"]["type"] == listed[f"{mount}/"]["type"] == "kv"
    assert listed["data"][f"{mount}/"]["options"]["version"] == "2"
    granted = system.get_capabilities(paths=[f"{mount}/data/x"])["data"][f"{mount}/data/x"]
    assert "read" in granted or "root" in granted


HVAC_SCENARIOS: tuple[Callable[[hvac.Client, str, Capabilities], None], ...] = (
    kv2_round_trip, kv2_replaced, kv2_check_and_set, kv2_absent, kv2_deleted, kv2_deleted_shows_its_metadata,
    kv2_destroyed, kv2_metadata, kv2_listed, hvac_approle, hvac_wrong_login, hvac_system,
)  # fmt: skip
