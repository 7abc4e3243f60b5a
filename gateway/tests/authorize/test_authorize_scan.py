"""A scan shows exactly what its caller would find by listing one folder after the other."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.context import Context
from wardgate.pipeline.authorize import Authorize, Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ListSecrets, ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

TOP = Path.parse("m")
SEGMENTS = ("a", "b", "ab", "c")
PATTERNS = st.lists(st.sampled_from((*SEGMENTS, "*", "a*", "**")), max_size=4).map(
    lambda parts: "/".join(["m", *(part for part in parts if part != "**"), *(["**"] if "**" in parts else [])])
)
RULES = st.builds(
    Rule,
    st.sampled_from([Effect.ALLOW, Effect.ALLOW, Effect.DENY]),
    st.sampled_from([("list",), ("*",), ("read", "list"), ("read",)]),
    st.lists(PATTERNS, min_size=1, max_size=3, unique=True).map(tuple),
)
SECRETS = st.sets(st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(tuple), max_size=25)
PRINCIPAL = Principal("p", "root", "somebody", "key", ("p",), "accessor")


class Caller:
    """Somebody with these rules before a store of these secrets, with the real layer between."""

    def __init__(self, rules: list[Rule], secrets: set[tuple[str, ...]]) -> None:
        policies = SimpleNamespace(policies=(Policy("p", tuple(rules)),))
        self.layer = Authorize(Engine(lambda _: policies, LocalEpochs()))
        self.secrets = secrets

    def ask(self, operation: ListSecrets | ScanSecrets) -> tuple[Entry, ...]:
        context = Context(Arrival("id", 0, 0.0, "127.0.0.1"), operation, None, "root")
        context.principal = PRINCIPAL

        async def store(_: Context) -> Outcome[Any]:
            return Outcome(Page(tuple(sorted(self.entries(operation)))))

        answer: Outcome[Page] = asyncio.run(_awaited(self.layer(context, store)))
        return answer.result.entries

    def entries(self, operation: ListSecrets | ScanSecrets) -> set[Entry]:
        """All there is, as a store would give it."""
        folder = operation.path.below(TOP).segments
        below = [path[len(folder) :] for path in self.secrets if path[: len(folder)] == folder and path != folder]
        if isinstance(operation, ScanSecrets):
            return {Entry("/".join(path)) for path in below}
        return {Entry(path[0], folder=len(path) > 1) for path in below}

    def walk(self, folder: Path) -> set[str]:
        """What listing finds, folder after folder; one that may not be listed holds nothing."""
        try:
            entries = self.ask(ListSecrets(path=folder))
        except PermissionDenied:
            return set()
        found = set()
        for entry in entries:
            path = folder.child(entry.name)
            found |= self.walk(path) if entry.folder else {str(path.below(TOP))}
        return found


async def _awaited(answer: Any) -> Any:
    return await answer


@settings(max_examples=300, deadline=None)
@given(st.lists(RULES, max_size=5), SECRETS)
def test_a_scan_shows_what_listing_would(rules: list[Rule], secrets: set[tuple[str, ...]]) -> None:
    """Whatever the rules and the secrets: not one name more, and not one less."""
    caller = Caller(rules, secrets)
    try:
        scanned = {entry.name for entry in caller.ask(ScanSecrets(path=TOP))}
    except PermissionDenied:
        scanned = set()
    assert caller.walk(TOP) == scanned


def test_what_a_folder_hides_is_hidden_with_all_below() -> None:
    """A folder that may not be listed is a wall, though a rule allows what lies behind it."""
    rules = [
        Rule(Effect.ALLOW, ("list",), ("m", "m/open", "m/closed/inner")),
        Rule(Effect.ALLOW, ("*",), ("m/open/**", "m/closed/inner/**")),
        Rule(Effect.DENY, ("*",), ("m/open/denied/**",)),
    ]
    secrets = {("open", "x"), ("closed", "x"), ("closed", "inner", "x"), ("open", "denied", "x"), ("top",)}
    caller = Caller(rules, secrets)
    assert {"open/x", "top"} == {entry.name for entry in caller.ask(ScanSecrets(path=TOP))}


def test_a_name_that_a_path_cannot_hold_is_hidden() -> None:
    """What cannot be asked about is not shown."""
    caller = Caller([Rule(Effect.ALLOW, ("*",), ("**",))], set())
    deep = "/".join(["a"] * 40)
    caller.entries = lambda operation: {Entry(deep), Entry("ok")}  # type: ignore[method-assign]  # a store that says anything
    assert (Entry("ok"),) == caller.ask(ScanSecrets(path=TOP))
