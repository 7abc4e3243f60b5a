"""A policy decision at 1,000 rules: fresh, remembered, and a page of names; CPU time of one thread."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle
from types import SimpleNamespace

from wardgate.pipeline.authorize import Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path

from bench.figures import Figure

RULES = 1_000
RULES_A_POLICY = 100
NAMES = 1_000
ROUNDS = 5_000
CROWD = 20
CONDITIONS = (
    'source in ["10.0.0.0/8", "fd00::/8"] and principal.method == "key"',
    'label.env == "production" or principal.role in ["ci", "cd"]',
    'time in hours("00:00-24:00", "Europe/Berlin") and time in weekdays("mon-sun", "Europe/Berlin")',
    'not has(label.class) or label.class != "restricted"',
    'path.depth >= 2 and path.segment.2 != principal.id and principal.name startswith "be"',
)


def policies(rules: int) -> tuple[Policy, ...]:
    """``rules`` rules over teams, in policies of 100: two wildcard rules, a deny, and literal ones."""
    made = []
    for number in range(0, rules, RULES_A_POLICY):
        teams = range(number, min(number + RULES_A_POLICY, rules) - 3)
        made.append(
            Policy(
                f"policy-{number}",
                (
                    Rule(Effect.ALLOW, ("list",), ("secret/*/**",)),
                    Rule(Effect.ALLOW, ("read",), (f"secret/team-*/shared-{number}/*",)),
                    Rule(Effect.DENY, ("*",), (f"secret/*/private-{number}/**",)),
                    *(Rule(Effect.ALLOW, ("read", "list"), (f"secret/team-{team}/**",)) for team in teams),
                ),
            )
        )
    return tuple(made)


def conditional(written: Sequence[Policy]) -> tuple[Policy, ...]:
    """The same policies with a condition in each rule: network, labels, time, path and principal by turns."""
    conditions = cycle(CONDITIONS)
    return tuple(
        Policy(policy.name, tuple(dataclasses.replace(rule, when=next(conditions)) for rule in policy.rules))
        for policy in written
    )


CROWDED = Policy(
    "crowd", tuple(Rule(Effect.ALLOW, ("read",), (f"secret/crowd-*/{'*/' * (i % 2)}**",)) for i in range(CROWD))
)
"""Rules that all cover the same paths."""


class Labels:
    """Labels of 1,000 folders; half of them production."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], dict[str, str]] = {
            ("secret", f"team-{i}"): {"env": "production" if i % 2 else "test"} for i in range(1_000)
        }

    def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
        """As the gateway's state does it: by name, from the nearest ancestor."""
        found: dict[str, str] = {}
        for length in range(1, len(segments) + 1):
            found.update(self._known.get(segments[:length], {}))
        return found


def measure() -> list[Figure]:
    """Each rule has a condition: the slower case."""
    written = conditional((CROWDED, *policies(RULES - CROWD)))
    engine = Engine(lambda _: SimpleNamespace(policies=written), LocalEpochs(), lambda _: labels)
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
