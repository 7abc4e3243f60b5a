"""All of KV, version 2 and version 1, as hvac and the ``bao`` command use it; scenarios as in ``vault_clients``."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable

import hvac
import hvac.exceptions
import pytest
from wardgate.spi.capabilities import Capabilities

from tests.end_to_end.vault_bao import Bao
from tests.end_to_end.vault_clients import VALUE, new_path, not_found, refused

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def hvac_patched(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Hvac patches with a read and a write under a check-and-set; a program that sends PATCH gets the same."""
    kv, path = client.secrets.kv.v2, new_path()
    kv.create_or_update_secret(path, {"a": "1", "b": {"c": "2"}}, mount_point=mount)

    with refused(capabilities.compare_and_set):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hvac warns of a parameter that it leaves out itself
            kv.patch(path, {"a": "3"}, mount_point=mount)
        body = {"data": {"b": {"c": None, "d": "4"}}}
        client.adapter.request("patch", f"/v1/{mount}/data/{path}", json=body, headers=MERGE_PATCH)
        read = kv.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
        assert read["data"]["data"] == {"a": "3", "b": {"d": "4"}}
        assert read["data"]["metadata"]["version"] == 3


def hvac_configured(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """The mount's own settings are kept where the store can, and refused where it cannot."""
    kv = client.secrets.kv.v2

    with refused(capabilities.mount_settings):
        kv.configure(max_versions=3, delete_version_after="1h", mount_point=mount)
        kept = kv.read_configuration(mount_point=mount)["data"]
        kv.configure(max_versions=0, delete_version_after="0s", mount_point=mount)
        assert (kept["max_versions"], kept["delete_version_after"]) == (3, "1h0m0s")
    assert kv.read_configuration(mount_point=mount)["data"]["max_versions"] == 0


def hvac_kept_versions(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Of three versions two are kept where two are asked for."""
    if not (capabilities.settings and capabilities.describe):
        return
    kv, path = client.secrets.kv.v2, new_path()
    kv.update_metadata(path, max_versions=2, mount_point=mount)
    for number in "123":
        kv.create_or_update_secret(path, {"n": number}, mount_point=mount)

    described = kv.read_secret_metadata(path, mount_point=mount)["data"]
    assert (set(described["versions"]), described["oldest_version"]) == ({"2", "3"}, 2)
    not_found(lambda: kv.read_secret_version(path, version=1, mount_point=mount, raise_on_deleted_version=True))


def hvac_v1(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """Write, read, replace, list and delete."""
    kv, path = client.secrets.kv.v1, new_path()

    kv.create_or_update_secret(f"{path}/a", dict(VALUE), mount_point=mount)
    assert kv.read_secret(f"{path}/a", mount_point=mount)["data"] == VALUE
    kv.create_or_update_secret(f"{path}/a", {"n": "2"}, mount_point=mount)
    assert kv.read_secret(f"{path}/a", mount_point=mount)["data"] == {"n": "2"}
    kv.create_or_update_secret(f"{path}/b/c", {"n": "3"}, mount_point=mount)
    with refused(capabilities.list):
        assert kv.list_secrets(path, mount_point=mount)["data"]["keys"] == ["a", "b/"]
    kv.delete_secret(f"{path}/a", mount_point=mount)
    not_found(lambda: kv.read_secret(f"{path}/a", mount_point=mount))


def hvac_v1_nothing(client: hvac.Client, mount: str, capabilities: Capabilities) -> None:
    """No fields are no secret, and the mount says which version it is."""
    with pytest.raises(hvac.exceptions.InvalidRequest, match="missing data fields"):
        client.secrets.kv.v1.create_or_update_secret(new_path(), {}, mount_point=mount)
    assert client.sys.list_mounted_secrets_engines()["data"][f"{mount}/"]["options"]["version"] == "1"


def bao_patched(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """``kv patch``, by PATCH and by read and write."""
    path, at = new_path(), f"-mount={mount}"
    bao.ask("kv", "put", at, path, "a=1", "b=2")

    if bao.tell(capabilities.compare_and_set, "kv", "patch", at, path, "a=3"):
        assert bao.ask("kv", "patch", at, "-method=patch", "-cas=2", path, "c=4")["data"]["version"] == 3
        assert bao.ask("kv", "patch", at, "-method=rw", path, "b=5")["data"]["version"] == 4
        assert bao.ask("kv", "get", at, path)["data"]["data"] == {"a": "3", "b": "5", "c": "4"}
        assert "did not match" in bao.run("kv", "patch", at, "-cas=2", path, "a=6").stderr


def bao_labelled(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """``kv metadata put`` and ``patch``: labels come and go one by one, settings stay."""
    path, at = new_path(), f"-mount={mount}"
    if bao.tell(capabilities.labels, "kv", "metadata", "put", at, "-custom-metadata=a=b", "-max-versions=3", path):
        bao.run("kv", "metadata", "patch", at, "-custom-metadata=c=d", path)
        bao.run("kv", "metadata", "patch", at, "-remove-custom-metadata=a", "-cas-required", path)
        known = bao.ask("kv", "metadata", "get", at, path)["data"]
        assert (known["custom_metadata"], known["max_versions"], known["cas_required"]) == ({"c": "d"}, 3, True)
        assert "check-and-set parameter required" in bao.run("kv", "put", at, path, "n=1").stderr
        assert bao.ask("kv", "put", at, "-cas=0", path, "n=1")["data"]["custom_metadata"] == {"c": "d"}


def bao_scanned(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """``kv scan`` finds all below a folder."""
    path, at = new_path(), f"-mount={mount}"
    for name in ("a", "b/c", "b/d/e"):
        bao.ask("kv", "put", at, f"{path}/{name}", "n=1")

    if bao.tell(capabilities.list, "kv", "scan", at, path):
        assert bao.ask("kv", "scan", at, path) == ["a", "b/c", "b/d/e"]


def bao_rolled_back(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """``kv rollback`` makes an older version the newest."""
    if not (capabilities.versions and capabilities.compare_and_set):
        return
    path, at = new_path(), f"-mount={mount}"
    bao.ask("kv", "put", at, path, "n=1")
    bao.ask("kv", "put", at, path, "n=2")

    assert bao.ask("kv", "rollback", at, "-version=1", path)["data"]["version"] == 3
    assert bao.ask("kv", "get", at, path)["data"]["data"] == {"n": "1"}


def bao_v1(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """The ``kv`` commands find out that the mount is of version 1, and speak it."""
    path, at = new_path(), f"-mount={mount}"

    assert bao.run("kv", "put", at, f"{path}/a", "user=ann").returncode == 0
    assert bao.ask("kv", "get", at, f"{path}/a")["data"] == {"user": "ann"}
    assert bao.ask("kv", "get", "-field=user", f"{mount}/{path}/a") == "ann"
    assert bao.run("kv", "put", at, f"{path}/b/c", "-", stdin=json.dumps(VALUE)).returncode == 0
    assert bao.ask("read", f"{mount}/{path}/b/c")["data"] == VALUE
    if bao.tell(capabilities.list, "kv", "list", at, path):
        assert bao.ask("kv", "list", at, path) == ["a", "b/"]
        assert bao.ask("kv", "scan", at, path) == ["a", "b/c"]
    assert bao.run("kv", "delete", at, f"{path}/a").returncode == 0
    assert bao.run("kv", "get", at, f"{path}/a").returncode == 2


HVAC_SCENARIOS: tuple[Callable[[hvac.Client, str, Capabilities], None], ...] = (
    hvac_patched, hvac_configured, hvac_kept_versions,
)  # fmt: skip
BAO_SCENARIOS: tuple[Callable[[Bao, str, Capabilities], None], ...] = (
    bao_patched, bao_labelled, bao_scanned, bao_rolled_back,
)  # fmt: skip
HVAC_FIRST = (hvac_v1, hvac_v1_nothing)
"""Of a mount shown as version 1."""
BAO_FIRST = (bao_v1,)
"""The same."""
