"""What the gateway adds to a read from a cloud's store, nothing remembered: against the vendor's SDK, same server."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.servers.moto import Moto
from tests.servers.moto import running as moto_running

from bench.figures import Figure, median
from tests.servers.gateway import Running, running

CALLERS = 16
READS = 25
"""Of each caller in a round."""
SLOW_SERVER_MS = 5.0
"""The goal is for servers that take this long themselves; the share is shown for all."""
NAME = "bench/database"


def measure(rounds: int = 5) -> list[Figure]:
    """Medians of the rounds' medians, in ms; 16 callers at a time."""
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-central-1")
    with moto_running() as moto, running(plugins=("native", "vault", "aws"), workers=2) as gateway:
        direct = _direct(moto)
        through = _through(gateway, moto)
        seen: dict[str, list[float]] = {"SDK": [], "gateway": []}
        for round_ in range(rounds + 1):
            for name, caller in (("SDK", direct), ("gateway", through)):
                taken = _round(caller)
                if round_:
                    seen[name].append(taken)
                print(f"foreign reads, round {round_}: {name:8} p50 {taken:6.2f} ms", flush=True)
    own, theirs = median(seen["gateway"]), median(seen["SDK"])
    goal = 1.3 if theirs >= SLOW_SERVER_MS else None
    return [
        Figure(
            "a read of AWS Secrets Manager (moto), nothing remembered, over boto3's", own / theirs, goal, "x",
            most=True, beside=f"gateway {own:.1f} ms, boto3 {theirs:.1f} ms, {CALLERS} callers",
        )
    ]  # fmt: skip


def _round(caller: Callable[[], Callable[[], None]]) -> float:
    """The median of all reads of all callers, in ms."""

    def one(_: int) -> list[float]:
        read, taken = caller(), []
        for _ in range(READS):
            began = time.perf_counter()
            read()
            taken.append((time.perf_counter() - began) * 1_000)
        return taken

    with ThreadPoolExecutor(CALLERS) as callers:
        return median([taken for all_taken in callers.map(one, range(CALLERS)) for taken in all_taken])


def _direct(moto: Moto) -> Callable[[], Callable[[], None]]:
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # only this part needs it
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415

    config = Config(max_pool_connections=CALLERS)
    client = boto3.client("secretsmanager", region_name="eu-central-1", endpoint_url=moto.endpoint, config=config)
    client.create_secret(Name=NAME, SecretString='{"password": "0123456789abcdef"}')

    def caller() -> Callable[[], None]:
        return lambda: client.get_secret_value(SecretId=NAME, VersionStage="AWSCURRENT") and None

    return caller


def _through(gateway: Running, moto: Moto) -> Callable[[], Callable[[], None]]:
    gateway.mount("aws", "aws-secrets-manager", region="eu-central-1", endpoint=moto.endpoint)
    tuned = gateway.call("PATCH", "/api/v1/mounts/aws", {"cache_ttl_seconds": 0})
    assert tuned.status == 200, tuned.body

    def caller() -> Callable[[], None]:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port)

        def read() -> None:
            connection.request("GET", f"/api/v1/secrets/aws/{NAME}", headers={"X-Vault-Token": gateway.token})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body

        return read

    return caller
