"""Durable single writes of 64 connections, against OpenBao."""

from __future__ import annotations

import json

from bench import peers, wrk
from bench.figures import Figure
from bench.peers import NAMES
from bench.reads import rate, ratio

BODY = json.dumps({"data": {"username": "user", "password": "0123456789abcdef0123456789abcdef"}})
PREFIX = "/v1/secret/data/written/"


def measure(rounds: int = 5, seconds: int = 5) -> list[Figure]:
    """Alternate the two; each write is on the disk, and so are its two audit records."""
    with peers.wardgate() as ours, peers.bao() as bao:
        runs: dict[str, list[wrk.Run]] = {ours.name: [], bao.name: []}
        for round_ in range(rounds + 1):
            for peer in (ours, bao):
                run = wrk.write(peer.address, PREFIX, peer.token, BODY, names=NAMES, seconds=seconds)
                if round_:
                    runs[peer.name].append(run)
                print(f"writes, round {round_}: {peer.name:9} {run.rate:8,.0f}/s  p99 {run.p99:6.1f} ms", flush=True)
    own, theirs = runs[ours.name], runs[bao.name]
    return [
        Figure("durable writes", rate(own), 3_000.0, "/s", beside=f"OpenBao {rate(theirs):,.0f}/s"),
        Figure("durable writes, over OpenBao's", ratio(own, theirs), 3.0, "x"),
        Figure("writes that failed", sum(run.errors for run in own), 0.0, most=True),
    ]
