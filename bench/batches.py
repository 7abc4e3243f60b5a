"""Batch reads over REST: 1,000 secrets in one request, one audit record that lists them."""

from __future__ import annotations

import json

from bench import peers, wrk
from bench.figures import Figure
from bench.peers import NAMES
from bench.reads import rate

CONNECTIONS = 4


def measure(rounds: int = 5, seconds: int = 4) -> list[Figure]:
    """Secrets in a second."""
    body = json.dumps({"items": [{"path": f"secret/bench/{number}"} for number in range(NAMES)]})
    runs = []
    with peers.wardgate() as ours:
        for round_ in range(rounds + 1):
            run = wrk.post(
                ours.address, "/api/v1/batch/read", ours.token, body, seconds=seconds, connections=CONNECTIONS
            )
            if round_:
                runs.append(run)
            print(f"batches, round {round_}: {run.rate * NAMES:9,.0f} secrets/s  p99 {run.p99:6.1f} ms", flush=True)
    return [
        Figure("secrets read in batches", rate(runs) * NAMES, 100_000.0, "/s"),
        Figure("batches that failed", sum(run.errors for run in runs), 0.0, most=True),
    ]
