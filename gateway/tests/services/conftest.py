"""A gateway's services without a road: operations are handed to their handlers, as dispatch does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.mounts import MountRow, OpenMounts
from wardgate.pipeline.authorize import BUILT_IN, Engine
from wardgate.services import build
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue, Unauthenticated, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.options import option, parse
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import SecretVersion
from wardgate.state import State, approle
from wardgate.state.codes import Codes

ARRIVAL = Arrival(id="r", received_at=0, deadline=1e12, source="127.0.0.1")
ADMINISTRATOR = Principal("admin", "root", "admin", "key", ("administrator",), "a")


@dataclass(frozen=True)
class Options:
    """Of the fake type ``memory``."""

    address: str = option(help="where it is")
    token: str | None = option(help="how to get in", default=None, secret=True)


class Memory(Backend):
    """A store that is asked for nothing but its health."""

    capabilities = Capabilities()

    def __init__(self, address: str) -> None:
        self.address = address
        self.closed = False

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise Unavailable("nothing is here")

    async def health(self) -> Health:
        return Health(ok=self.address != "down", detail="the store is down")

    async def close(self) -> None:
        self.closed = True


class Guarded(Memory):
    """A store that says what it was told to say of its credential."""

    capabilities = Capabilities(write=True)
    answer: Sequence[Permission] | WardgateError = ()

    async def probe(self) -> Sequence[Permission]:
        if isinstance(self.answer, WardgateError):
            raise self.answer
        return self.answer


TYPES = {
    "guarded": BackendType(
        name="guarded", help="a fake", options=Options, open=lambda options, _: Guarded(options.address)
    ),
    "memory": BackendType(
        name="memory", help="a fake", options=Options, open=lambda options, _: Memory(options.address)
    ),
}


class Desk:
    """Hands operations of a principal to the services of one worker."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.probed: list[Memory] = []
        self.warnings: tuple[str, ...] = ()
        self.engine = Engine(state.policies.of, state.epochs, state.labels.of)
        self.opened = OpenMounts(state.mounts.of, self._open)
        self.handlers = build(
            state,
            engine=self.engine,
            built_in=BUILT_IN,
            types=TYPES,
            open_backend=self._open,
            opened=self.opened.of,
            namespace_backends=TYPES,
            presentations={"vault.kv": ("2",)},
            clock=clock,
            version="1.2.3",
        )

    def do(self, operation: Operation[Any], who: Principal | None = ADMINISTRATOR, namespace: str = "root") -> Any:
        """The handler's answer; errors are raised."""
        if who is not None and who.namespace != namespace:
            who = replace(who, namespace=namespace)
        context = Context(ARRIVAL, operation, None, namespace)
        context.principal = who
        return asyncio.run(self._awaited(context, operation))

    def do_at_once(self, *operations: Operation[Any]) -> list[Any]:
        """The handlers' answers to an administrator's requests that are all under way before any has ended."""

        async def all_of_them() -> list[Any]:
            asked = []
            for operation in operations:
                context = Context(ARRIVAL, operation, None, "root")
                context.principal = ADMINISTRATOR
                asked.append(self._awaited(context, operation))
            return await asyncio.gather(*asked, return_exceptions=True)

        return asyncio.run(all_of_them())

    def do_at(self, operation: Operation[Any], who: Principal, now: int) -> Any:
        """The handler's answer to a request that was received at that time, in Unix nanoseconds."""
        context = Context(Arrival("r", now, 1e12, "127.0.0.1"), operation, None, "root")
        context.principal = who
        return asyncio.run(self._awaited(context, operation))

    def logged_in(self, token: str, namespace: str = "root") -> Principal | None:
        """Who a token is, or None when it is nobody's."""
        try:
            return self.state.principals.lookup(token, namespace).principal
        except Unauthenticated:
            return None

    async def _awaited(self, context: Context, operation: Operation[Any]) -> Any:
        answer = await self.handlers[type(operation)](context, operation)
        self.warnings = context.warnings
        return answer

    def _open(self, _namespace: str, row: MountRow) -> Backend:
        if row.fault:
            raise Unavailable(row.fault)
        kind = TYPES.get(row.type)
        if kind is None:
            raise InvalidValue("no such type")
        backend = kind.open(parse(kind.options, row.options, of="test"), None)  # type: ignore[arg-type]  # lent nothing
        assert isinstance(backend, Memory)
        self.probed.append(backend)
        return backend


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Permission] | WardgateError], None]:
    """What stores of the type ``guarded`` say from now on."""
    return lambda answer: monkeypatch.setattr(Guarded, "answer", answer)


@pytest.fixture
def desk(state: State, clock: Clock) -> Desk:
    return Desk(state, clock)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What logins ask of the database, and the codes they compute, as they come; time would tell the same."""
    seen: list[str] = []
    ask, sign = approle._one, Codes.signed

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = function(*arguments, **named)
            seen.append(name if result else f"nothing by {name}")
            return result

        return call

    monkeypatch.setattr(approle, "_one", counted("one", ask))
    monkeypatch.setattr(Codes, "signed", counted("signed", sign))
    return seen


@pytest.fixture
def other_worker(reopen: Callable[..., State], state: State, clock: Clock) -> Iterator[Desk]:
    """A second worker of the same host, on the same files and the same epochs."""
    yield Desk(reopen(state.epochs), clock)  # noqa: PT022  # the state is closed by its own fixture
