"""What hvac and the ``bao`` command do with tokens and AppRole; each scenario passes on a real OpenBao too."""

from __future__ import annotations

import json
from collections.abc import Callable

import hvac
import pytest

from tests.end_to_end.vault_bao import Bao
from tests.end_to_end.vault_clients import another, new_path


def hvac_child_tokens(client: hvac.Client) -> None:
    """A child token is made, looked up, renewed and ended, by itself and by its accessor."""
    tokens = client.auth.token
    made = tokens.create(policies=["default"], ttl="1h", explicit_max_ttl="2h", display_name="job", meta={"job": "7"})
    child, accessor = made["auth"]["client_token"], made["auth"]["accessor"]

    assert tokens.lookup(child)["data"]["meta"] == {"job": "7"}
    assert tokens.lookup_accessor(accessor)["data"]["display_name"] == "token-job"
    assert accessor in tokens.list_accessors()["data"]["keys"]
    assert tokens.renew(child, increment="30m")["auth"]["lease_duration"] == 1_800
    assert tokens.renew_accessor(accessor, increment="20m")["auth"]["lease_duration"] == 1_200
    assert another(client, child).auth.token.renew_self(increment="5h")["warnings"]
    tokens.revoke_accessor(accessor)
    assert not another(client, child).is_authenticated()
    with pytest.raises(hvac.exceptions.Forbidden, match="bad token"):
        tokens.lookup(child)


def hvac_token_trees(client: hvac.Client) -> None:
    """Children end with their parent, orphans do not."""
    parent = another(client, client.auth.token.create(ttl="1h")["auth"]["client_token"])
    child = parent.auth.token.create(policies=["default"])["auth"]
    orphan = parent.auth.token.create_orphan(policies=["default"])["auth"]
    assert (child["orphan"], orphan["orphan"]) == (False, True)
    client.auth.token.revoke(parent.token)
    assert not parent.is_authenticated()
    assert not another(client, child["client_token"]).is_authenticated()
    assert another(client, orphan["client_token"]).is_authenticated()

    parent = another(client, client.auth.token.create(ttl="1h")["auth"]["client_token"])
    child = parent.auth.token.create(policies=["default"])["auth"]
    client.auth.token.revoke_and_orphan_children(parent.token)
    assert not parent.is_authenticated()
    assert another(client, child["client_token"]).auth.token.lookup_self()["data"]["orphan"]


def hvac_counted_and_periodic(client: hvac.Client) -> None:
    """A counted token is used up; a periodic one is renewed by its period."""
    counted = another(client, client.auth.token.create(policies=["default"], num_uses=2)["auth"]["client_token"])
    assert [True, True, False] == [counted.is_authenticated() for _ in range(3)]
    periodic = another(client, client.auth.token.create(policies=["default"], period="1h")["auth"]["client_token"])
    assert periodic.auth.token.renew_self(increment="9h")["auth"]["lease_duration"] == 3_600
    assert periodic.auth.token.lookup_self()["data"]["period"] == 3_600


def hvac_secret_ids(client: hvac.Client) -> None:
    """Roles with bounds; secret ids issued, chosen, listed, looked up and destroyed."""
    name, roles = new_path(), client.auth.approle
    roles.create_or_update_approle(
        name, token_policies=["default"], token_num_uses=5, token_bound_cidrs=["127.0.0.0/8"], token_ttl="10m",
        secret_id_bound_cidrs=["127.0.0.0/8"], secret_id_num_uses=3, secret_id_ttl="1h",
    )  # fmt: skip
    assert roles.read_role(name)["data"]["secret_id_bound_cidrs"] == ["127.0.0.0/8"]
    roles.update_role_id(name, f"id-of-{name}")
    issued = roles.generate_secret_id(name, metadata={"env": "prod"}, cidr_list=["127.0.0.1/32"])["data"]
    seen = roles.read_secret_id(name, issued["secret_id"])["data"]
    assert (seen["metadata"], seen["cidr_list"]) == ({"env": "prod"}, ["127.0.0.1/32"])
    assert roles.read_secret_id_accessor(name, issued["secret_id_accessor"])["data"]["secret_id_num_uses"] == 3
    assert roles.list_secret_id_accessors(name)["data"]["keys"] == [issued["secret_id_accessor"]]

    machine = another(client, "")
    login = machine.auth.approle.login(f"id-of-{name}", issued["secret_id"])["auth"]
    assert (login["num_uses"], login["metadata"]) == (5, {"env": "prod", "role_name": name})
    assert machine.auth.token.lookup_self()["data"]["bound_cidrs"]

    roles.create_custom_secret_id(name, "chosen by another system")
    another(client, "").auth.approle.login(f"id-of-{name}", "chosen by another system")
    roles.destroy_secret_id(name, "chosen by another system")
    roles.destroy_secret_id_accessor(name, issued["secret_id_accessor"])
    for secret_id in ("chosen by another system", issued["secret_id"]):
        with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid role or secret ID"):
            another(client, "").auth.approle.login(f"id-of-{name}", secret_id)
    roles.delete_role(name)


def hvac_wrapped_secret_id(client: hvac.Client) -> None:
    """A secret id travels wrapped; the second one to unwrap it learns that somebody was first."""
    name, roles = new_path(), client.auth.approle
    roles.create_or_update_approle(name, token_policies=["default"])
    role_id = roles.read_role_id(name)["data"]["role_id"]
    wrapped = roles.generate_secret_id(name, wrap_ttl="60s")
    assert wrapped["data"] is None
    carrier = another(client, wrapped["wrap_info"]["token"])
    secret_id = carrier.sys.unwrap()["data"]["secret_id"]
    assert another(client, "").auth.approle.login(role_id, secret_id)["auth"]["client_token"]
    with pytest.raises(hvac.exceptions.InvalidRequest):
        carrier.sys.unwrap()
    roles.delete_role(name)


def bao_tokens(bao: Bao) -> None:
    """``token create``, ``lookup``, ``renew``, ``revoke``, each as a person types it."""
    made = bao.ask("token", "create", "-policy=default", "-ttl=1h", "-display-name=job", "-metadata=job=7")["auth"]
    child, accessor = made["client_token"], made["accessor"]
    assert made["lease_duration"] == 3_600
    assert bao.ask("token", "lookup", child)["data"]["meta"] == {"job": "7"}
    assert bao.ask("token", "lookup", "-accessor", accessor)["data"]["policies"] == ["default"]
    assert bao.ask("token", "renew", "-increment=30m", child)["auth"]["lease_duration"] == 1_800
    assert bao.ask("token", "renew", "-increment=20m", "-accessor", accessor)["auth"]["lease_duration"] == 1_200
    assert bao.run("token", "revoke", child).returncode == 0
    assert bao.run("token", "lookup", child).returncode == 2
    assert bao.run("token", "lookup", "-accessor", accessor).returncode == 2

    periodic = bao.ask("token", "create", "-policy=default", "-period=1h", "-orphan")["auth"]
    assert (periodic["lease_duration"], periodic["orphan"]) == (3_600, True)
    counted = bao.ask("token", "create", "-policy=default", "-use-limit=1", "-explicit-max-ttl=2h")["auth"]
    assert bao.run("token", "lookup", token=counted["client_token"]).returncode == 0
    assert bao.run("token", "lookup", token=counted["client_token"]).returncode == 2

    parent = bao.ask("token", "create", "-ttl=1h")["auth"]["client_token"]
    below = bao.ask("token", "create", "-policy=default", token=parent)["auth"]["client_token"]
    assert bao.run("token", "revoke", "-mode=orphan", parent).returncode == 0
    assert bao.ask("token", "lookup", token=below)["data"]["orphan"] is True
    assert bao.run("token", "revoke", "-self", token=below).returncode == 0
    assert bao.ask("list", "auth/token/accessors")


def bao_approle_bounds(bao: Bao) -> None:
    """Roles with bounds and their secret ids, through ``read`` and ``write``, and wrapped."""
    name = new_path()
    role = f"auth/approle/role/{name}"
    written = bao.run(
        "write", role, "token_policies=default", "token_period=1h", "token_bound_cidrs=127.0.0.0/8",
        "secret_id_bound_cidrs=127.0.0.1/32", f"role_id=id-of-{name}",
    )  # fmt: skip
    assert written.returncode == 0, written.stderr
    assert bao.ask("read", role)["data"]["token_period"] == 3_600
    assert bao.ask("read", f"{role}/token-bound-cidrs")["data"]["token_bound_cidrs"] == ["127.0.0.0/8"]
    assert bao.run("write", f"{role}/token-ttl", "token_ttl=5m").returncode == 0
    wrapped = bao.ask("write", "-wrap-ttl=60s", "-force", f"{role}/secret-id")["wrap_info"]["token"]
    issued = bao.ask("unwrap", wrapped)["data"]
    body = json.dumps({"role_id": f"id-of-{name}", "secret_id": issued["secret_id"]})
    machine = bao.ask("write", "auth/approle/login", "-", stdin=body, token="")["auth"]["client_token"]
    assert bao.ask("token", "lookup", token=machine)["data"]["period"] == 3_600
    accessor = issued["secret_id_accessor"]
    assert bao.ask("list", f"{role}/secret-id") == [accessor]
    destroyed = bao.run("write", f"{role}/secret-id-accessor/destroy", f"secret_id_accessor={accessor}")
    assert destroyed.returncode == 0, destroyed.stderr
    assert bao.run("list", f"{role}/secret-id").returncode == 2
    assert bao.run("delete", role).returncode == 0


def hvac_login_methods(client: hvac.Client) -> None:
    """AppRole is enabled under a name, tuned, used there alone, and disabled with what it brought."""
    name, system, roles = f"m-{new_path()}", client.sys, client.auth.approle
    system.enable_auth_method("approle", path=name, description="machines", config={"default_lease_ttl": "10m"})
    assert system.list_auth_methods()["data"][f"{name}/"]["config"]["default_lease_ttl"] == 600
    with pytest.raises(hvac.exceptions.InvalidRequest, match=f"path is already in use at {name}/"):
        system.enable_auth_method("approle", path=name)
    system.tune_auth_method(name, description="tuned", default_lease_ttl="5m", max_lease_ttl="20m")
    tuning = system.read_auth_method_tuning(name)["data"]
    assert (300, 1200, "tuned") == (tuning["default_lease_ttl"], tuning["max_lease_ttl"], tuning["description"])

    roles.create_or_update_approle("web", token_policies=["default"], mount_point=name)
    role_id = roles.read_role_id("web", mount_point=name)["data"]["role_id"]
    secret_id = roles.generate_secret_id("web", mount_point=name)["data"]["secret_id"]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid role or secret ID"):
        another(client, "").auth.approle.login(role_id, secret_id)
    login = another(client, "").auth.approle.login(role_id, secret_id, mount_point=name)["auth"]
    machine = another(client, login["client_token"])
    assert machine.auth.token.lookup_self()["data"]["path"] == f"auth/{name}/login"
    assert login["lease_duration"] == 300
    assert machine.auth.token.renew_self(increment="1h")["warnings"]

    system.disable_auth_method(name)
    assert not machine.is_authenticated()
    assert f"{name}/" not in system.list_auth_methods()["data"]


def bao_login_methods(bao: Bao) -> None:
    """``auth enable``, ``tune``, ``list``, ``disable``, and a login in between."""
    name = f"m-{new_path()}"
    enabled = bao.run("auth", "enable", f"-path={name}", "-description=machines", "-max-lease-ttl=30m", "approle")
    assert enabled.returncode == 0, enabled.stderr
    assert bao.ask("auth", "list")[f"{name}/"]["config"]["max_lease_ttl"] == 1_800
    tuned = bao.run("auth", "tune", "-default-lease-ttl=5m", "-description=tuned", f"{name}/")
    assert tuned.returncode == 0, tuned.stderr
    assert bao.ask("read", f"sys/auth/{name}/tune")["data"]["default_lease_ttl"] == 300
    assert bao.ask("auth", "list")[f"{name}/"]["description"] == "tuned"
    assert "path is already in use" in bao.run("auth", "enable", f"-path={name}", "approle").stderr
    assert bao.run("write", f"auth/{name}/role/web", "token_policies=default").returncode == 0
    role_id = bao.ask("read", f"auth/{name}/role/web/role-id")["data"]["role_id"]
    secret_id = bao.ask("write", "-force", f"auth/{name}/role/web/secret-id")["data"]["secret_id"]
    body = json.dumps({"role_id": role_id, "secret_id": secret_id})
    login = bao.ask("write", f"auth/{name}/login", "-", stdin=body, token="")["auth"]
    assert login["lease_duration"] == 300
    assert bao.run("auth", "disable", name).returncode == 0
    assert bao.run("token", "lookup", token=login["client_token"]).returncode != 0
    assert f"{name}/" not in bao.ask("auth", "list")


HVAC_IDENTITY: tuple[Callable[[hvac.Client], None], ...] = (
    hvac_child_tokens, hvac_token_trees, hvac_counted_and_periodic, hvac_secret_ids, hvac_wrapped_secret_id,
    hvac_login_methods,
)  # fmt: skip
BAO_IDENTITY: tuple[Callable[[Bao], None], ...] = (bao_tokens, bao_approle_bounds, bao_login_methods)
