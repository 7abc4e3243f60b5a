"""hvac and ``bao`` wrap answers, tune mounts, list auth methods and write policies: here as at a real server."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidRequest

from tests.end_to_end.vault_bao import Bao
from tests.servers.gateway import Running


class Server(NamedTuple):
    """Something that speaks Vault's API."""

    address: str
    token: str


@pytest.fixture(params=["wardgate", "openbao"])
def server(request: pytest.FixtureRequest) -> Server:
    """The gateway, and a real server: what holds of one holds of the other."""
    found: Any = request.getfixturevalue("gateway" if request.param == "wardgate" else "openbao")
    return Server(found.address, found.token)


@pytest.fixture
def client(server: Server) -> Any:
    return hvac.Client(url=server.address, token=server.token)


@pytest.fixture
def cli(server: Server, bao: Path, tmp_path: Path) -> Bao:
    return Bao(bao, server.address, tmp_path, server.token)


def new_name() -> str:
    return f"a{uuid.uuid4().hex[:12]}"


def test_hvac_wraps_and_unwraps(client: Any, server: Server) -> None:
    """Any data; whoever has only the wrapping token can open it, once."""
    wrapped = client.sys.wrap({"a": 1}, ttl=60)["wrap_info"]
    holder = hvac.Client(url=server.address, token=wrapped["token"])

    assert {"a": 1} == holder.sys.unwrap()["data"]
    with pytest.raises(InvalidRequest, match="wrapping token is not valid or does not exist"):
        client.sys.unwrap(wrapped["token"])


def test_a_secret_id_travels_wrapped(client: Any, server: Server) -> None:
    """The machine unwraps it and logs in; nobody on the way has seen it."""
    role = new_name()
    client.auth.approle.create_or_update_approle(role, token_policies=["default"])
    wrapped = client.auth.approle.generate_secret_id(role, wrap_ttl="60s")["wrap_info"]

    opened = hvac.Client(url=server.address, token=wrapped["token"]).sys.unwrap()["data"]

    assert wrapped["wrapped_accessor"] == opened["secret_id_accessor"]
    role_id = client.auth.approle.read_role_id(role)["data"]["role_id"]
    machine = hvac.Client(url=server.address)
    login = machine.auth.approle.login(role_id=role_id, secret_id=opened["secret_id"])
    assert "default" in login["auth"]["policies"]


def test_bao_wraps_what_it_reads(cli: Bao) -> None:
    """``-wrap-ttl`` on a read: its first question, which mount that is, is not wrapped with it."""
    path = f"secret/{new_name()}"
    cli.ask("kv", "put", path, "password=correct horse")

    token = cli.ask("kv", "get", "-wrap-ttl=60s", path)["wrap_info"]["token"]
    looked = cli.ask("write", "sys/wrapping/lookup", f"token={token}")
    again = cli.ask("write", "sys/wrapping/rewrap", f"token={token}")["wrap_info"]["token"]

    assert 60 == looked["data"]["creation_ttl"]
    assert cli.run("unwrap", token).returncode != 0
    assert "correct horse" == cli.ask("unwrap", again)["data"]["data"]["password"]
    assert "not valid" in cli.run("unwrap", again).stderr


def test_bao_unwraps_without_a_token_of_its_own(cli: Bao) -> None:
    """The wrapping token is then what it shows; for all else that is worth nothing."""
    token = cli.ask("write", "-wrap-ttl=60s", "sys/wrapping/wrap", "a=b")["wrap_info"]["token"]

    assert "permission denied" in cli.run("kv", "get", "secret/x", token=cli.token + "x").stderr
    assert {"a": "b"} == cli.ask("unwrap", token=token)["data"]


def test_mounts_are_made_tuned_and_removed(client: Any, cli: Bao) -> None:
    """By hvac and by ``bao``: what was set is read back."""
    name = new_name()
    client.sys.enable_secrets_engine("kv", path=name, options={"version": "2"}, config={"max_lease_ttl": "2h"})
    client.sys.tune_mount_configuration(name, description="tuned", default_lease_ttl="1h")

    tuning = client.sys.read_mount_configuration(name)["data"]
    assert (3600, 7200, "tuned") == (tuning["default_lease_ttl"], tuning["max_lease_ttl"], tuning["description"])
    cli.run("secrets", "tune", "-description=again", name)
    assert "again" == cli.ask("secrets", "list")[f"{name}/"]["description"]
    assert f"{name}/" in client.sys.list_mounted_secrets_engines()["data"]
    client.sys.disable_secrets_engine(name)
    assert f"{name}/" not in client.sys.list_mounted_secrets_engines()["data"]


def test_auth_methods_are_listed_and_not_enabled_twice(client: Any, cli: Bao) -> None:
    """A set-up script that finds AppRole there goes on."""
    assert {"token/", "approle/"} <= set(client.sys.list_auth_methods()["data"])
    assert {"token/", "approle/"} <= set(cli.ask("auth", "list"))
    with pytest.raises(InvalidRequest, match="path is already in use at approle/"):
        client.sys.enable_auth_method("approle")


def test_a_policy_of_vault_s_decides(client: Any, cli: Bao, server: Server, tmp_path: Path) -> None:
    """Written as text, read back as text, and it allows what it says: here as there."""
    name, folder = new_name(), new_name()
    text = f"""
        path "secret/data/{folder}/*" {{ capabilities = ["create", "read", "update"] }}
        path "secret/metadata/{folder}/*" {{ capabilities = ["list"] }}
        path "secret/data/{folder}/private/*" {{ capabilities = ["deny"] }}
    """
    (tmp_path / "policy.hcl").write_text(text)
    cli.run("policy", "write", name, str(tmp_path / "policy.hcl"))
    client.secrets.kv.v2.create_or_update_secret(f"{folder}/private/x", {"a": "b"})
    client.secrets.kv.v2.create_or_update_secret(f"{folder}-else/x", {"a": "b"})

    assert text.strip() == client.sys.read_policy(name)["data"]["rules"].strip()
    assert name in client.sys.list_policies()["data"]["policies"]
    token = client.auth.token.create(policies=[name])["auth"]["client_token"]
    holder = hvac.Client(url=server.address, token=token)
    kv = holder.secrets.kv.v2
    kv.create_or_update_secret(f"{folder}/x", {"a": "b"})
    assert {"a": "b"} == kv.read_secret_version(f"{folder}/x", raise_on_deleted_version=True)["data"]["data"]
    assert "x" in kv.list_secrets(folder)["data"]["keys"]
    refusals: tuple[Callable[[], object], ...] = (
        lambda: kv.read_secret_version(f"{folder}/private/x", raise_on_deleted_version=True),
        lambda: kv.read_secret_version(f"{folder}-else/x", raise_on_deleted_version=True),
        lambda: kv.list_secrets(f"{folder}-else"),
        lambda: kv.read_secret_metadata(f"{folder}/x"),
        lambda: kv.delete_latest_version_of_secret(f"{folder}/x"),
    )
    for refused in refusals:
        with pytest.raises(Forbidden):
            refused()
    client.sys.delete_policy(name)
    assert name not in client.sys.list_policies()["data"]["policies"]


def test_of_fifty_who_unwrap_at_once_one_gets_the_answer(gateway: Running) -> None:
    """Over the wire and two workers; the audit holds one unwrapping that ended well, and names its origin."""
    gateway.call("POST", "/v1/secret/data/race", {"data": {"a": "b"}})
    told = gateway.call("GET", "/v1/secret/data/race", X_Vault_Wrap_TTL="60s").json()["wrap_info"]

    def unwrap(_: int) -> int:
        return gateway.call("POST", "/v1/sys/wrapping/unwrap", token=told["token"]).status

    with ThreadPoolExecutor(50) as pool:
        statuses = Counter(pool.map(unwrap, range(50)))

    assert {200: 1, 400: 49} == statuses
    records = [json.loads(line) for file in gateway.audit.glob("*.jsonl") for line in file.read_text().splitlines()]
    ours = [one for one in records if one.get("details", {}).get("wrapping_accessor") == told["accessor"]]
    assert {"ReadSecret", "UnwrapOwn"} == {one["operation"] for one in ours}
    assert ["secret/data/race"] == [
        one["details"]["creation_path"] for one in ours if one["operation"] == "UnwrapOwn" and one["code"] == "ok"
    ]
    assert told["token"] not in repr(records)


def test_a_mount_is_tuned_over_rest_as_well(gateway: Running) -> None:
    """What one API sets, the other shows; what is absent stays."""
    name = new_name()
    gateway.mount(name, "native")

    tuned = gateway.call("PATCH", f"/api/v1/mounts/{name}", {"cache_ttl_seconds": 0, "presentation": {"vault.kv": "1"}})
    assert (200, 0) == (tuned.status, tuned.json()["cache_ttl_seconds"])
    options = gateway.call("GET", f"/v1/sys/mounts/{name}/tune").json()["options"]
    assert ("1", "0s") == (options["version"], options["wardgate:cache_ttl"])
    again = gateway.call("PATCH", f"/api/v1/mounts/{name}", {"cache_ttl_seconds": None}).json()
    assert (None, {"vault.kv": "1"}) == (again["cache_ttl_seconds"], again["presentation"])
    assert 400 == gateway.call("PATCH", f"/api/v1/mounts/{name}", {"cache_ttl_seconds": 86_401}).status
