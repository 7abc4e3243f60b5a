"""Stores of other vendors as servers of this machine, each with 10,000 secrets and its vendor's own SDK."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from bench import filled_moto
from bench.filled_key_vault import KeyVault
from bench.filled_key_vault import filled as filled_key_vault
from bench.names import NAMES, READ, TEXT
from tests.servers import google, moto, openbao

CALLERS = 16
REGION = filled_moto.REGION


class Sdk(NamedTuple):
    """What the vendor's SDK is asked for: one secret's value, and how many names there are."""

    read: Callable[[], object]
    names: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Store:
    """A filled server. ``options`` of a mount, and the SDK's client, are for a port: its own, or a proxy's.

    ``slow``: with 16 callers the server itself takes 5 ms or more.
    """

    name: str
    kind: str
    port: int
    options: Callable[[int], dict[str, object]]
    sdk: Callable[[int], Sdk]
    slow: bool = False


@contextlib.contextmanager
def running() -> Iterator[list[Store]]:
    """All of them. The environment then leads the gateway, and the SDKs, to the credentials."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wardgate-bench-")))
        cloud = int(stack.enter_context(google.running()).rpartition(":")[2])
        bao = stack.enter_context(openbao.running())
        engine = bao.new_mount()
        with ThreadPoolExecutor(2) as filling:
            filled = [filling.submit(_fill_openbao, bao, engine), filling.submit(asyncio.run, _fill_google(cloud))]
            aws = stack.enter_context(moto.running("bench.filled_moto"))
            vault = stack.enter_context(filled_key_vault(folder))
            for one in filled:
                one.result()
        os.environ.update(moto.CREDENTIALS)
        os.environ.update(IDENTITY_ENDPOINT=vault.identity, IDENTITY_HEADER="bench")
        yield [*_aws(aws.port), _azure(vault), _google(cloud), _openbao(bao, engine)]


def _aws(port: int) -> Iterator[Store]:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # only this part needs it
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415

    def client(service: str, port: int) -> Any:
        config = Config(max_pool_connections=CALLERS)
        return boto3.client(service, region_name=REGION, endpoint_url=f"http://127.0.0.1:{port}", config=config)

    def manager(port: int) -> Sdk:
        sdk = client("secretsmanager", port)
        return Sdk(
            lambda: sdk.get_secret_value(SecretId=READ)["SecretString"],
            lambda: sum(1 for _ in sdk.get_paginator("list_secrets").paginate(MaxResults=100).search("SecretList[]")),
        )

    def parameters(port: int) -> Sdk:
        sdk = client("ssm", port)
        return Sdk(
            lambda: sdk.get_parameter(Name=f"/{READ}", WithDecryption=True)["Parameter"]["Value"],
            lambda: sum(
                len(page["Parameters"]) for page in sdk.get_paginator("describe_parameters").paginate(MaxResults=50)
            ),
        )

    def options(port: int) -> dict[str, object]:
        return {"region": REGION, "endpoint": f"http://127.0.0.1:{port}"}

    yield Store("AWS Secrets Manager (moto)", "aws-secrets-manager", port, options, manager, slow=True)
    yield Store("AWS Parameter Store (moto)", "aws-parameter-store", port, options, parameters, slow=True)


def _azure(vault: KeyVault) -> Store:
    def sdk(port: int) -> Sdk:
        import requests  # noqa: PLC0415  # only this part needs them
        from azure.core.credentials import AccessToken  # noqa: PLC0415
        from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415
        from azure.keyvault.secrets import SecretClient  # noqa: PLC0415
        from tests.servers.key_vault import TOKEN  # noqa: PLC0415

        session = requests.Session()
        # The SDK's own pool has ten connections: the others would be made anew for each read.
        session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=CALLERS))
        client = SecretClient(
            f"https://127.0.0.1:{port}",
            SimpleNamespace(get_token=lambda *_, **__: AccessToken(TOKEN, int(time.time()) + 86_400)),
            verify_challenge_resource=False,
            transport=RequestsTransport(session=session, session_owner=False, connection_verify=vault.ca_file),
            api_version="7.6",
        )
        return Sdk(
            lambda: client.get_secret(READ).value,
            lambda: sum(1 for one in client.list_properties_of_secrets() if one.name),
        )

    def options(port: int) -> dict[str, object]:
        return {"vault_url": f"https://127.0.0.1:{port}", "ca_file": vault.ca_file, "managed_identity": True}

    return Store("Azure Key Vault (a stand-in)", "azure-key-vault", vault.port, options, sdk)


def _google(port: int) -> Store:
    project = "bench"

    def sdk(port: int) -> Sdk:
        import grpc  # type: ignore[import-untyped]  # noqa: PLC0415  # only this part needs them
        from google.cloud import secretmanager_v1 as sdk  # noqa: PLC0415
        from google.cloud.secretmanager_v1.services.secret_manager_service import transports  # noqa: PLC0415

        transport = transports.SecretManagerServiceGrpcTransport(channel=grpc.insecure_channel(f"127.0.0.1:{port}"))
        client = sdk.SecretManagerServiceClient(transport=transport)
        name = f"projects/{project}/secrets/{READ}/versions/latest"
        listed = {"parent": f"projects/{project}", "page_size": 25_000}
        return Sdk(
            lambda: client.access_secret_version(request={"name": name}).payload.data,
            lambda: sum(1 for one in client.list_secrets(request=listed) if one.name),
        )

    def options(port: int) -> dict[str, object]:
        return {"project": project, "endpoint": f"http://127.0.0.1:{port}"}

    return Store("Google Secret Manager (an emulator)", "google-secret-manager", port, options, sdk)


async def _fill_google(port: int) -> None:
    import google_crc32c  # noqa: PLC0415
    import grpc  # noqa: PLC0415
    from google.cloud import secretmanager_v1 as sdk  # noqa: PLC0415
    from google.cloud.secretmanager_v1.services.secret_manager_service import transports  # noqa: PLC0415

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        transport = transports.SecretManagerServiceGrpcAsyncIOTransport(channel=channel)
        client = sdk.SecretManagerServiceAsyncClient(transport=transport)
        replicated: dict[str, Any] = {"replication": {"automatic": {}}}
        for start in range(0, len(NAMES), 500):
            await asyncio.gather(
                *(
                    client.create_secret(request={"parent": "projects/bench", "secret_id": name, "secret": replicated})
                    for name in NAMES[start : start + 500]
                )
            )
        parent, data = f"projects/bench/secrets/{READ}", TEXT.encode()
        await client.add_secret_version(
            request={"parent": parent, "payload": {"data": data, "data_crc32c": google_crc32c.value(data)}}
        )


def _openbao(server: openbao.OpenBao, engine: str) -> Store:
    def sdk(port: int) -> Sdk:
        import hvac  # noqa: PLC0415  # only this part needs them
        import requests  # noqa: PLC0415

        session = requests.Session()
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CALLERS))
        kv = hvac.Client(f"http://127.0.0.1:{port}", server.token, session=session).secrets.kv.v2
        return Sdk(
            lambda: kv.read_secret_version(READ, mount_point=engine, raise_on_deleted_version=False)["data"]["data"],
            lambda: len(kv.list_secrets("", mount_point=engine)["data"]["keys"]),
        )

    def options(port: int) -> dict[str, object]:
        return {"address": f"http://127.0.0.1:{port}", "mount": engine, "token": server.token}

    return Store("OpenBao, KV version 2", "vault", int(server.address.rpartition(":")[2]), options, sdk)


def _fill_openbao(server: openbao.OpenBao, engine: str) -> None:
    head, body = {"X-Vault-Token": server.token}, json.dumps({"data": json.loads(TEXT)})

    def written(names: tuple[str, ...]) -> None:
        connection = http.client.HTTPConnection(server.address.removeprefix("http://"))
        with contextlib.closing(connection):
            for name in names:
                connection.request("POST", f"/v1/{engine}/data/{name}", body, head)
                answer = connection.getresponse()
                told = answer.read()
                assert answer.status in {200, 204}, told

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(written, (NAMES[start::CALLERS] for start in range(CALLERS))))
