"""A policy decision at 1,000 rules: fresh, remembered, and a page of names; CPU time of one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace

from wardgate.pipeline.authorize import Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path

from bench.figures import Figure
from bench.policy_decision import CROWD, CROWDED, NAMES, ROUNDS, Labels, conditional, policies

RULES = 1_000


def measure() -> list[Figure]:
    """Each rule has a condition: the slower case."""
    written = conditional((CROWDED, *policies(RULES - CROWD)))
    engine = Engine(lambda _: SimpleNamespace(epoch=0, policies=written), LocalEpochs(), lambda _: labels)
    labels = Labels()
    facts = Arrival("id", time.time_ns(), 0.0, "10.1.2.3")
    names = tuple(policy.name for policy in written)
    who = Principal("p", "root", "bench", "key", names, "a", attributes={"role": "ci"})
    asked = [ReadSecret(path=Path.parse(f"secret/crowd-{i % 90}/app/{i}")) for i in range(ROUNDS)]
    candidates = engine.explain("root", names, Action.READ, asked[0].path).candidates
    fresh = _p99(lambda i: engine.require(who, asked[i], facts), range(ROUNDS))
    repeated = _p99(lambda i: engine.require(who, asked[i], facts), range(ROUNDS))
    entries = [f"private-{i}" if i % 10 == 0 else f"app-{i}" for i in range(NAMES)]

    def page(i: int) -> None:
        visible = engine.visible(who, Action.LIST, Path.parse(f"secret/team-{i}"), facts)
        assert len([name for name in entries if visible.matches(name, folder=True)]) < NAMES

    listed = _p99(page, range(90))
    seen = f"{candidates} candidates"
    print(
        f"decisions: fresh {fresh * 1e3:.3f} ms, remembered {repeated * 1e6:.1f} us, a page {listed * 1e3:.1f} ms (p99)"
    )
    return [
        Figure("fresh policy decision, p99", fresh * 1e3, 1.0, "ms", most=True, beside=seen),
        Figure("remembered policy decision, p99", repeated * 1e6, 10.0, "us", most=True),
        Figure("a page of 1,000 names under 1,000 rules, p99", listed * 1e3, 50.0, "ms", most=True),
    ]


def _p99(work: Callable[[int], object], rounds: Iterable[int]) -> float:
    taken = []
    for i in rounds:
        begun = time.thread_time()
        work(i)
        taken.append(time.thread_time() - begun)
    taken.sort()
    return taken[len(taken) * 99 // 100]
