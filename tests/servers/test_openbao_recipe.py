"""The recipe itself: what every test that asks for an OpenBao relies on."""

from __future__ import annotations

import subprocess
import urllib.error

import pytest

from tests.servers import openbao as recipe
from tests.servers.openbao import OpenBao


def test_server_is_the_real_one_in_the_version_promised(openbao: OpenBao) -> None:
    """Its health names the version the recipe pins, unsealed, with raft and the audit device in use."""
    health = openbao.call("GET", "sys/health")
    assert (recipe.VERSION, False) == (health["version"], health["sealed"])
    assert "raft" == openbao.call("GET", "sys/seal-status")["storage_type"]
    assert openbao.audit_log.stat().st_size > 0


def test_command_speaks_to_the_server(openbao: OpenBao) -> None:
    """``environment`` is all that the unmodified command needs."""
    put = [str(openbao.bao), "kv", "put", "-mount=secret", "recipe", "answer=42"]
    subprocess.run(put, env=openbao.environment(), check=True, capture_output=True)
    assert {"answer": "42"} == openbao.call("GET", "secret/data/recipe")["data"]["data"]


def test_mounts_are_fresh_and_roles_log_in(openbao: OpenBao) -> None:
    """Each test can have an empty store and a role that reaches nothing else."""
    mount = openbao.new_mount()
    _, role_id, secret_id = openbao.new_role(f'path "{mount}/*" {{ capabilities = ["create", "read"] }}')
    login = openbao.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token="")
    token = login["auth"]["client_token"]
    assert 1 == openbao.call("POST", f"{mount}/data/x", {"data": {}}, token=token)["data"]["version"]
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        openbao.call("GET", "secret/data/x", token=token)
    refused.value.close()


def test_tls_needs_the_authority(openbao_tls: OpenBao) -> None:
    """The TLS server answers whoever trusts its authority, and nobody else."""
    assert openbao_tls.call("GET", "sys/health")["initialized"]
    stranger = OpenBao(address=openbao_tls.address, token="", folder=openbao_tls.folder, bao=openbao_tls.bao)
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.call("GET", "sys/health")


def test_root_token_is_in_no_repr(openbao: OpenBao) -> None:
    """A failing test prints its fixtures."""
    assert openbao.token not in repr(openbao)
