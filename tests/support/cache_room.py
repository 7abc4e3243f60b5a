"""A store that is counted, a road behind the cache that reads it, and workers that share one page of epochs."""

from __future__ import annotations

import asyncio
from typing import Any

from wardgate.context import Context, Decision
from wardgate.mounts import Mount, Mounts
from wardgate.pipeline.cache import Cache, Limits
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import SecretNotFound, WardgateError
from wardgate.spi.frontend import Arrival, Outcome, Wrap
from wardgate.spi.operations.base import Batch, Operation
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets, WriteSecret, WriteSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import SecretVersion, Value, VersionInfo

DECISION = Decision("p", 1)
ROOMY = Limits(10_000, 64 * 1024 * 1024)
TTL = 60 * 10**9


class Store(Backend):
    """Holds values by path. ``gate``: what a read waits for, where set; ``fault``: what it raises instead."""

    capabilities = Capabilities(write=True)

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.expires_at: int | None = None
        self.reads: list[str] = []
        self.gate: asyncio.Event | None = None
        self.fault: WardgateError | None = None

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """See Backend."""
        self.reads.append(str(path))
        value = self.values.get(str(path))  # what a slow answer holds is what stood there when it was asked
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if value is None:
            raise SecretNotFound
        return SecretVersion(VersionInfo("1", 1, expires_at=self.expires_at), Value(value))


class Room:
    """Several workers' caches over one store."""

    def __init__(self, clock: Any, *, workers: int = 1, embedded: bool = False, limits: Limits = ROOMY) -> None:
        self.clock = clock
        self.embedded = embedded
        self.store = Store()
        self.epochs = LocalEpochs()
        self.tables: dict[str, Mounts] = {}
        self.mount("root")
        self.counted: list[bool] = []
        self.caches = [
            Cache(self.epochs, clock, self.tables.__getitem__, limits=limits, ttl=TTL, count=self._count)
            for _ in range(workers)
        ]

    def mount(self, namespace: str, *, ttl: int | None = None, backend: Backend | None = None) -> None:
        """Mount the store, or another, in a namespace."""
        mount = Mount(
            f"m-{namespace}", namespace, Path(("s",)), "t", {}, backend or self.store, "", self.embedded, ttl
        )  # fmt: skip
        self.tables[namespace] = Mounts([mount])

    async def ask(
        self, operation: Operation[Any], *, worker: int = 0, namespace: str = "root", wrap: Wrap | None = None,
        seconds: float = 60.0, decisions: tuple[Decision | None, ...] | None = None,
    ) -> Outcome[Any]:  # fmt: skip
        """Send an operation into a worker's cache."""
        arrival = Arrival("id", self.clock.now(), self.clock.monotonic() + seconds, "192.0.2.1")
        mount = self.tables[namespace].locate(operation.path)
        context = Context(arrival, operation, None, namespace, mount, wrap)
        context.principal = None
        if isinstance(operation, ReadSecrets | WriteSecrets):
            context.decisions = decisions or tuple(DECISION for _ in operation.items)
        return await self.caches[worker](context, self._road)

    async def read(self, path: str = "a", **more: Any) -> bytes:
        """The value read."""
        outcome = await self.ask(ReadSecret(path=at(path)), **more)
        data: bytes = outcome.result.value.data
        return data

    async def write(self, path: str, value: bytes, **more: Any) -> None:
        """Write through the gateway."""
        await self.ask(WriteSecret(path=at(path), value=Value(value)), **more)

    async def _road(self, context: Context) -> Outcome[Any]:
        operation = context.operation
        if isinstance(operation, ReadSecrets):
            return Outcome(tuple([await self._item(item) for item in operation.items]))
        if isinstance(operation, WriteSecrets):
            for item in operation.items:
                self._write(item)
            return Outcome(tuple(VersionInfo("1") for _ in operation.items))
        if isinstance(operation, Batch):
            return Outcome(tuple(None for _ in operation.items))
        if isinstance(operation, WriteSecret):
            self._write(operation)
            if self.store.fault is not None:
                raise self.store.fault
            return Outcome(VersionInfo("1"))
        return Outcome(await self.store.read(operation.path))

    async def _item(self, item: ReadSecret) -> Any:
        try:
            return await self.store.read(item.path)
        except WardgateError as error:
            return error

    def _write(self, operation: WriteSecret) -> None:
        self.store.values[str(operation.path)] = operation.value.data

    def _count(self, mount: str, *, hit: bool) -> None:
        self.counted.append(hit)


def at(path: str) -> Path:
    """A path in the mount."""
    return Path(("s", *path.split("/")))
