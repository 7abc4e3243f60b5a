"""Many clients merge into one secret at once, over several workers: none loses what another wrote."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

from tests.end_to_end.vault_vectors import over_http
from tests.servers.gateway import Running

CLIENTS, TURNS = 8, 6


def test_no_merge_is_lost(gateway: Running) -> None:
    """Each adds fields of its own; all are there in the end, and each merge made one version."""
    send, token = over_http(gateway.address), {"X-Vault-Token": gateway.token}
    target = f"/v1/secret/data/race-{uuid.uuid4().hex}"
    send("POST", target, token, b'{"data":{}}')

    def client(number: int) -> list[int]:
        bodies = (json.dumps({"data": {f"{number}-{turn}": 1}}).encode() for turn in range(TURNS))
        headers = {**token, "Content-Type": "application/merge-patch+json"}
        return [send("PATCH", target, headers, body).status for body in bodies]

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = [status for answers in pool.map(client, range(CLIENTS)) for status in answers]

    found = json.loads(send("GET", target, token, b"").body)["data"]
    assert [200] * CLIENTS * TURNS == statuses
    assert {f"{number}-{turn}": 1 for number in range(CLIENTS) for turn in range(TURNS)} == found["data"]
    assert CLIENTS * TURNS + 1 == found["metadata"]["version"]
