"""How long a policy decision takes: fresh, remembered, and a page of names. Prints; asserts nothing.

Run with ``python bench/policy_decision.py [RULES]``; 1,000 rules by default.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace

from wardgate.pipeline.authorize import Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path

RULES_A_POLICY = 100
NAMES = 1_000


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


def report(what: str, work: Callable[[int], object], rounds: Iterable[int]) -> None:
    """Time each round, and print its p50 and p99 in microseconds."""
    taken = []
    for i in rounds:
        start = time.perf_counter_ns()
        work(i)
        taken.append(time.perf_counter_ns() - start)
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(f"{what:<52} p50 {p50 / 1e3:>9.1f} us   p99 {p99 / 1e3:>9.1f} us")


def main() -> None:
    """Measure and print."""
    rules = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    written = policies(rules)
    epochs = LocalEpochs()
    engine = Engine(lambda _: SimpleNamespace(epoch=0, policies=written), epochs)
    principal = Principal("p", "root", "bench", "key", tuple(policy.name for policy in written[:10]), "a")
    operations = [ReadSecret(path=Path.parse(f"secret/team-{i % 90}/app/{i}")) for i in range(5_000)]
    candidates = engine.explain("root", principal.policies, Action.READ, operations[0].path).candidates
    slot = epochs.slot("policies", "root")

    print(f"{rules} rules in {len(written)} policies; the principal carries {len(principal.policies)}")
    report(f"fresh decision, {candidates} candidates", lambda i: engine.require(principal, operations[i]), range(5_000))
    report("remembered decision", lambda i: engine.require(principal, operations[i]), range(5_000))

    def reload(_: int) -> None:
        epochs.bump(slot)
        engine.require(principal, operations[0])

    report("first decision after a change (all compiled anew)", reload, range(50))
    names = [f"private-{i}" if i % 10 == 0 else f"app-{i}" for i in range(NAMES)]
    folder = Path.parse("secret/team-7")

    def page(_: int) -> None:
        visible = engine.visible(principal, Action.LIST, folder)
        shown = [name for name in names if visible.matches(name, folder=True)]
        assert len(shown) == NAMES - sum(name.removeprefix("private-") in hidden for name in names)

    hidden = {str(number) for number in range(0, min(rules, NAMES), RULES_A_POLICY)}
    report(f"visible() and a page of {NAMES:,} names", page, range(200))
    asked = [operation.path for operation in operations[:10]]
    report("capabilities of 10 paths", lambda _: engine.capabilities(principal, asked), range(500))


if __name__ == "__main__":
    main()
