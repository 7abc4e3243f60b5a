"""The layer: who passes, what it leaves in the context, and what a list shows."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from wardgate.context import Context, Decision
from wardgate.pipeline.authorize import Authorize, Engine
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ListSecrets, ReadSecret
from wardgate.spi.operations.system import ReadHealth
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

POLICIES = (
    Policy(
        "p",
        (
            Rule(Effect.ALLOW, ("list",), ("secret/team",)),
            Rule(Effect.ALLOW, ("read",), ("secret/team/app",)),
            Rule(Effect.DENY, ("*",), ("secret/team/private/**", "secret/team/hidden", "secret/team/x-*")),
        ),
    ),
    Policy("all", (Rule(Effect.ALLOW, ("*",), ("**",)),)),
)
ENGINE = Engine(lambda _: SimpleNamespace(policies=POLICIES), LocalEpochs())
ENTRIES = (
    Entry("app"), Entry("hidden"), Entry("hidden", folder=True), Entry("other"), Entry("private"),
    Entry("private", folder=True), Entry("sub", folder=True), Entry("x-1"), Entry("x-1", folder=True),
)  # fmt: skip


def context_of(operation: Operation[Any], *policies: str, namespace: str = "root") -> Context:
    context = Context(Arrival("id", 0, 0.0, "127.0.0.1"), operation, None, namespace)
    context.principal = Principal("p", "root", "somebody", "key", policies, "accessor")
    return context


def perform(context: Context, result: Any = None) -> Outcome[Any]:
    async def next_layer(given: Context) -> Outcome[Any]:
        assert given is context
        return Outcome(result, warnings=("kept",))

    async def performed() -> Outcome[Any]:
        return await Authorize(ENGINE)(context, next_layer)

    return asyncio.run(performed())


def test_an_allowed_operation_passes_with_its_decision() -> None:
    """The very operation that was checked goes on: there is no second path to disagree with it."""
    operation = ReadSecret(path=Path.parse("secret/team/app"))
    context = context_of(operation, "p")
    assert "value" == perform(context, "value").result
    assert Decision("p", 2) == context.decision
    assert operation is context.operation


def test_a_denied_operation_goes_no_further() -> None:
    """Nothing behind the layer runs, and no decision stands in the context."""
    context = context_of(ReadSecret(path=Path.parse("secret/team/other")), "p")

    async def never(_: Context) -> Outcome[Any]:
        raise AssertionError("a denied operation went on")

    async def performed() -> Outcome[Any]:
        return await Authorize(ENGINE)(context, never)

    with pytest.raises(PermissionDenied):
        asyncio.run(performed())
    assert context.known("decision") is None


def test_an_anonymous_operation_passes_with_an_empty_decision() -> None:
    """Those skip identity and policy."""
    context = Context(Arrival("id", 0, 0.0, "127.0.0.1"), ReadHealth(), None, "root")
    perform(context)
    assert Decision("", 0) == context.decision


@pytest.mark.parametrize("namespace", ["other", ""])
def test_a_principal_of_another_namespace_is_denied(namespace: str) -> None:
    """Even an administrator's; and no principal matches a namespace that does not exist."""
    with pytest.raises(PermissionDenied):
        perform(context_of(ReadSecret(path=Path.parse("secret/team/app")), "all", namespace=namespace))


def test_without_a_principal_it_is_denied() -> None:
    """Whatever the layer before forgot."""
    context = Context(Arrival("id", 0, 0.0, "127.0.0.1"), ReadSecret(path=Path.parse("a")), None, "root")
    with pytest.raises(PermissionDenied):
        perform(context)


def test_a_list_shows_what_is_not_denied() -> None:
    """Names denied by exact path, by folder and by star are gone; cursor and warnings stay."""
    context = context_of(ListSecrets(path=Path.parse("secret/team")), "p")
    outcome = perform(context, Page(ENTRIES, cursor="next"))
    expected = (Entry("app"), Entry("other"), Entry("private"), Entry("sub", folder=True))
    assert Outcome(Page(expected, cursor="next"), warnings=("kept",)) == outcome


def test_a_list_nothing_is_denied_of_is_passed_on_as_it_is() -> None:
    """No copy is made where everything may be seen."""
    page = Page(ENTRIES)
    assert page is perform(context_of(ListSecrets(path=Path.parse("secret/team")), "all"), page).result


def test_a_list_needs_list_on_the_folder_itself() -> None:
    """Reading below a folder is not listing it."""
    with pytest.raises(PermissionDenied):
        perform(context_of(ListSecrets(path=Path.parse("secret")), "p"), Page(ENTRIES))
