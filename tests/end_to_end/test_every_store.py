"""One unmodified client, the same calls, over stores of several vendors behind one gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from wardgate.registry import Registry
from wardgate.spi.capabilities import Capabilities

from tests.end_to_end import vault_clients
from tests.servers import aws_answers, google, key_vault, key_vault_store, moto
from tests.servers.fixtures import BUILDS, or_skip
from tests.servers.gateway import Answer, Running, command, running
from tests.servers.openbao import OpenBao

BUILDS["clouds"] = google.binary
PLUGINS = ("native", "vault", "aws", "azure", "gcp")
TYPES = ("aws-secrets-manager", "aws-parameter-store", "azure-key-vault", "google-secret-manager")
PREFIXES = (*TYPES, "secret", "bao", "kv1")
"""Of all mounts: those, the gateway's own, and both engines of a real OpenBao."""
SCENARIOS: tuple[Callable[[Any, str, Capabilities], None], ...] = (
    vault_clients.kv2_round_trip,
    vault_clients.kv2_replaced,
    vault_clients.kv2_check_and_set,
    vault_clients.kv2_absent,
    vault_clients.kv2_deleted,
    vault_clients.kv2_listed,
)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[key_vault.KeyVaultServer]:
    """The stand-in for Azure Key Vault and for the login before it: of no vendor's making."""
    with key_vault.serving(tmp_path_factory.mktemp("key-vault")) as server:
        yield server


@pytest.fixture(scope="module")
def clouds(vault: key_vault.KeyVaultServer, openbao: OpenBao) -> Iterator[Running]:
    """A gateway with a mount of each type, named like it; each SDK finds its credentials in the environment."""
    or_skip(google.binary)
    with moto.running() as aws, google.running() as gcp, pytest.MonkeyPatch.context() as environment:
        options: dict[str, dict[str, object]] = {
            "aws-secrets-manager": {"region": "eu-central-1", "endpoint": aws.endpoint},
            "aws-parameter-store": {"region": "eu-central-1", "endpoint": aws.endpoint},
            "azure-key-vault": {"vault_url": vault.url, "ca_file": str(vault.ca_file)},
            "google-secret-manager": {"project": "clouds", "endpoint": f"http://{gcp}"},
        }
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", **vault.environment}
        for name, text in credentials.items():
            environment.setenv(name, text)
        with running(plugins=PLUGINS) as gateway:
            for kind in TYPES:
                asked = {"prefix": kind, "type": kind, "options": options[kind], "presentation": {"vault.kv": "2"}}
                answer = gateway.call("POST", "/api/v1/mounts", asked)
                assert answer.status == 201, answer.body
            bao = {"address": openbao.address, "token": openbao.token}
            gateway.mount("bao", "vault", mount=openbao.new_mount(), **bao)
            gateway.mount("kv1", "vault", mount=openbao.new_mount(version="1"), kv_version=1, **bao)
            yield gateway


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("kind", TYPES)
def test_hvac_finds_every_store_alike(
    clouds: Running, kind: str, scenario: Callable[[Any, str, Capabilities], None]
) -> None:
    """What a store cannot do is refused in Vault's words; all else is as with Vault itself."""
    declared = Registry.load(PLUGINS).backend_types[kind].declarations[0].capabilities
    scenario(vault_clients.client(clouds.address, clouds.token), kind, declared)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_etag_is_one_value_s(clouds: Running, prefix: str) -> None:
    """Whoever writes and whoever reads are told the same one, and a secret written anew has another."""
    can = _can(clouds, prefix)
    where = f"/api/v1/secrets/{prefix}/{vault_clients.new_path()}"

    def write(data: bytes, **headers: str) -> Answer:
        return clouds.call("PUT", where, data, Content_Type="application/json", **headers)

    tag = write(b'{"b": 1.50, "a": "\xc3\xa9"}').headers["etag"]
    assert {tag} == {clouds.call(method, where).headers["etag"] for method in ("GET", "HEAD")}
    assert 304 == clouds.call("GET", where, If_None_Match=tag).status
    if can["compare_and_set"]:
        assert 412 == write(b"{}", If_Match=f'{tag[:-1]}0"').status
        tag = write(b'{"turn": 2}', If_Match=tag).headers["etag"]
        assert tag == clouds.call("GET", where).headers["etag"]
    clouds.call("DELETE", where)
    if can["destroy"]:
        clouds.call("POST", where.replace("secrets", "destroy", 1), {"all": True})
    assert 200 == write(b'{"turn": 3}').status
    there = clouds.call("GET", where, If_None_Match=tag)
    assert (200, {"turn": 3}) == (there.status, there.json())
    if can["compare_and_set"]:
        assert 412 == write(b"{}", If_Match=tag).status


@pytest.mark.parametrize("prefix", PREFIXES)
def test_current_and_previous_are_read_wherever_versions_are(clouds: Running, prefix: str) -> None:
    """Also in a store that keeps no stages; without older versions to read it is refused."""
    where = f"/api/v1/secrets/{prefix}/{vault_clients.new_path()}"
    for turn in (1, 2):
        assert 200 == clouds.call("PUT", where, {"turn": turn}, Content_Type="application/json").status
    found = [clouds.call("GET", f"{where}?stage={stage}") for stage in ("previous", "current")]
    if _can(clouds, prefix)["versions"]:
        assert [{"turn": 1}, {"turn": 2}] == [answer.json() for answer in found]
    else:
        assert [422, 422] == [answer.status for answer in found]


def _can(clouds: Running, prefix: str) -> Mapping[str, Any]:
    """What the store of that mount declares, as anyone who may see the mount is told."""
    listed = clouds.call("GET", "/api/v1/folders/").json()["entries"]
    capabilities: Mapping[str, Any] = next(one["capabilities"] for one in listed if one["name"] == prefix)
    return capabilities


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_is_not_there_is_deleted_alike(clouds: Running, prefix: str) -> None:
    """Of the REST API, whatever the store says of it: 204 for what never was, and again for what was deleted before."""
    can = _can(clouds, prefix)

    def asked(path: str) -> list[int]:
        one = {"versions": [1]}
        answers: dict[str, Callable[[], Answer]] = {
            "delete": lambda: clouds.call("DELETE", f"/api/v1/secrets/{path}"),
            "delete_versions": lambda: clouds.call("DELETE", f"/api/v1/secrets/{path}?version=1"),
            "undelete": lambda: clouds.call("POST", f"/api/v1/undelete/{path}", one),
            "destroy_versions": lambda: clouds.call("POST", f"/api/v1/destroy/{path}", one),
            "destroy": lambda: clouds.call("POST", f"/api/v1/destroy/{path}", {"all": True}),
        }
        return [answer().status for name, answer in answers.items() if can[name]]

    path = f"{prefix}/{vault_clients.new_path()}"
    assert {204} == set(asked(path))
    clouds.call("PUT", f"/api/v1/secrets/{path}", b"x", Content_Type="text/plain")
    deleted = [clouds.call("DELETE", f"/api/v1/secrets/{path}").status for _ in range(2)]
    assert [204, 204] == deleted
    assert {204} == set(asked(path)) | set(asked(path))


@pytest.mark.parametrize("kind", TYPES)
def test_a_store_that_is_not_there_is_named_and_not_mounted(clouds: Running, kind: str) -> None:
    """The credentials and the address are tried before anything is saved."""
    elsewhere: dict[str, dict[str, object]] = {
        "azure-key-vault": {"vault_url": "https://127.0.0.1:9"},
        "google-secret-manager": {"project": "p", "endpoint": "http://127.0.0.1:9"},
    }
    options = elsewhere.get(kind, {"region": "eu-central-1", "endpoint": "http://127.0.0.1:9"}) | {"timeout": 1.0}
    answer = clouds.call("POST", "/api/v1/mounts", {"prefix": "absent", "type": kind, "options": options})
    assert answer.status == 503, answer.body
    assert "absent" not in json.dumps(clouds.call("GET", "/api/v1/mounts").json())


def test_a_right_that_the_stand_in_for_key_vault_refuses_is_named(
    clouds: Running, vault: key_vault.KeyVaultServer
) -> None:
    """When the mount is made, and when the doctor asks the mounts there are."""
    options = {"vault_url": vault.url, "ca_file": str(vault.ca_file)}
    asked = {"prefix": "refused", "type": "azure-key-vault", "options": options}
    vault.vault.refuse = dict.fromkeys(("PUT", "DELETE"), key_vault_store.Refused(403, "Forbidden", "ForbiddenByRbac"))
    try:
        answer = clouds.call("POST", "/api/v1/mounts", asked)
        examined = command("doctor", "--config", str(clouds.config), "--json")
    finally:
        vault.vault.refuse = {}
    named = "set (for write); delete (for delete, destroy); purge (for destroy)"
    assert answer.status == 403, answer.body
    assert named in answer.json()["detail"]
    assert "refused" not in json.dumps(clouds.call("GET", "/api/v1/mounts").json())
    assert "its credential lacks set, delete, purge" in examined.stdout


@pytest.mark.parametrize(
    ("kind", "denied", "absent"),
    [
        ("aws-secrets-manager", "PutSecretValue", "ResourceNotFoundException"),
        ("aws-parameter-store", "DeleteParameter", "ParameterNotFound"),
    ],
)
def test_a_right_that_a_policy_of_aws_leaves_out_is_named(clouds: Running, kind: str, denied: str, absent: str) -> None:
    """And nothing is saved."""

    def answer(action: str, _: object) -> aws_answers.Answer:
        return aws_answers.refused("AccessDeniedException" if action == denied else absent)

    with aws_answers.answering(answer) as endpoint:
        options = {"region": "eu-central-1", "endpoint": endpoint.url}
        asked = {"prefix": "refused", "type": kind, "options": options}
        refused = clouds.call("POST", "/api/v1/mounts", asked)
    assert refused.status == 403, refused.body
    assert f":{denied} (for " in refused.json()["detail"]
    assert "refused" not in json.dumps(clouds.call("GET", "/api/v1/mounts").json())
