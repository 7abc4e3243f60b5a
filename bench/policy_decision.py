"""How long a policy decision takes: fresh, remembered, a page of names; without conditions, and with one in each rule.

Prints; asserts nothing. Run with ``python bench/policy_decision.py [RULES]``; 1,000 rules by default.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
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


def report(what: str, work: Callable[[int], object], rounds: Iterable[int]) -> None:
    """Time each round and print p50 and p99 in microseconds of CPU: a busy machine should not look like slow code."""
    taken = []
    for i in rounds:
        start = time.thread_time_ns()
        work(i)
        taken.append(time.thread_time_ns() - start)
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"{what:<52} p50 {p50 / 1e3:>9.1f} us   p99 {p99 / 1e3:>9.1f} us")


def main() -> None:
    """Measure and print."""
    rules = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    plain = (CROWDED, *policies(rules - CROWD))
    print(f"{rules} rules, all in the {len(plain)} policies carried")
    measure(plain)
    print(f"the same, {rules} rules with a condition each")
    measure(conditional(plain))


def measure(carried: Sequence[Policy]) -> None:
    """Time one set of policies."""
    written = list(carried)
    epochs, labels = LocalEpochs(), Labels()
    engine = Engine(lambda _: SimpleNamespace(epoch=0, policies=tuple(written)), epochs, lambda _: labels)
    facts = Arrival("id", time.time_ns(), 0.0, "10.1.2.3")
    who = Principal(
        "p", "root", "bench", "key", tuple(policy.name for policy in written), "a", attributes={"role": "ci"}
    )

    for name, count in (("team", ROUNDS), ("crowd", ROUNDS)):
        asked = [ReadSecret(path=Path.parse(f"secret/{name}-{i % 90}/app/{i}")) for i in range(count)]
        candidates = engine.explain("root", who.policies, Action.READ, asked[0].path).candidates
        work = partial(engine.require, who, facts=facts)
        report(f"fresh decision, {candidates} candidates", lambda i: work(asked[i]), range(count))  # noqa: B023
        report("remembered decision", lambda i: work(asked[i]), range(count))  # noqa: B023

    slot = epochs.slot("policies", "root")
    first = written[0]

    def change(i: int) -> None:
        written[0] = Policy(first.name, (*first.rules, Rule(Effect.DENY, ("read",), (f"changed/{i}",))))
        epochs.bump(slot)
        engine.require(who, asked[0], facts)

    report("first decision after one policy changed", change, range(100))
    names = [f"private-{i}" if i % 10 == 0 else f"app-{i}" for i in range(NAMES)]

    def page(i: int) -> None:
        visible = engine.visible(who, Action.LIST, Path.parse(f"secret/team-{i}"), facts)
        shown = [name for name in names if visible.matches(name, folder=True)]
        assert len(shown) < NAMES

    report(f"visible() of a new folder, and a page of {NAMES:,} names", page, range(90))
    paths = [operation.path for operation in asked[:10]]
    report("capabilities of 10 paths", lambda _: engine.capabilities(who, paths, facts), range(100))


if __name__ == "__main__":
    main()
