"""Cached single reads through the Vault front-end: audit synced and not, against OpenBao and bare uvicorn."""

from __future__ import annotations

from collections.abc import Sequence

from bench import peers, wrk
from bench.figures import Figure, median
from bench.peers import NAMES, PREFIX, Peer

ROUNDS = 5
SECONDS = 5


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> list[Figure]:
    """Alternate the four servers, each alone at its turn; medians over the rounds of ratios within a round."""
    with (
        peers.wardgate("synced") as synced,
        peers.wardgate("unsynced", synced=False) as unsynced,
        peers.bao() as bao,
        peers.bare() as bare,
    ):
        runs = alternate((bare, bao, synced, unsynced), rounds, seconds)
    base, bao_, ours, fast = (runs[peer.name] for peer in (bare, bao, synced, unsynced))
    seen = f"{rate(ours):,.0f}/s; OpenBao {rate(bao_):,.0f}/s; bare {rate(base):,.0f}/s"
    seen_fast = f"{rate(fast):,.0f}/s, p99 {median([run.p99 for run in fast]):.1f} ms"
    errors = sum(run.errors for run in [*ours, *fast])
    return [
        Figure("reads, audit synced, over OpenBao's", ratio(ours, bao_), 6.0, "x", beside=seen),
        Figure("reads, audit synced, over bare uvicorn's", ratio(ours, base), 0.3, "x"),
        Figure("reads, audit synced, p99", median([run.p99 for run in ours]), 20.0, "ms", most=True),
        Figure("reads, audit written, over OpenBao's", ratio(fast, bao_), 10.0, "x", beside=seen_fast),
        Figure("reads, audit written, over bare uvicorn's", ratio(fast, base), 0.5, "x"),
        Figure("reads that failed", errors, 0.0, most=True),
    ]


def alternate(servers: Sequence[Peer], rounds: int, seconds: int) -> dict[str, list[wrk.Run]]:
    """Each server's runs; the first round warms up and does not count."""
    runs: dict[str, list[wrk.Run]] = {peer.name: [] for peer in servers}
    for round_ in range(rounds + 1):
        for peer in servers:
            run = wrk.read(peer.address, PREFIX, peer.token, names=NAMES, seconds=seconds)
            if round_:
                runs[peer.name].append(run)
            print(f"reads, round {round_}: {peer.name:12} {run.rate:8,.0f}/s  p99 {run.p99:6.1f} ms", flush=True)
    return runs


def rate(runs: Sequence[wrk.Run]) -> float:
    """Requests in a second, the median."""
    return median([run.rate for run in runs])


def ratio(ours: Sequence[wrk.Run], theirs: Sequence[wrk.Run]) -> float:
    """The median over rounds of our rate over theirs."""
    return median([a.rate / b.rate for a, b in zip(ours, theirs, strict=True)])
