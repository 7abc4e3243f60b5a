"""A gateway in memory: the real dispatch over a backend that keeps everything in a dictionary, without a server."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.mounts import Mount, Mounts
from wardgate.pipeline.dispatch import Dispatch
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    InvalidValue,
    PreconditionRequired,
    SecretNotFound,
    VersionNotFound,
)
from wardgate.spi.frontend import ARRIVAL, Arrival, Outcome, Repeat, Wrap
from wardgate.spi.identity import Credential
from wardgate.spi.operations import mounts, policies, system
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path
from wardgate.spi.values import (
    Entry,
    Expect,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)
from wardgate_conformance.odd import OddBackend
from wardgate_vault.api import FRONTEND

from tests.end_to_end.vault_vectors import Response, Send
from tests.support.memory_services import MemoryKeeper, MemoryPolicies, NoKeys, created, tuned
from tests.support.real_identity import TOKEN, RealIdentity

RING = NamespaceKeyring("root", {1: RootKey.new_kek()}, 1)
SECOND = 1_000_000_000
FULL = Capabilities(
    write=True, compare_and_set=True, list=True, describe=True, labels=True, empty_secrets=True, settings=True,
    mount_settings=True,
    versions=True, ordinals=True, delete=True, delete_versions=True, undelete=True, destroy=True,
    destroy_versions=True, media_types=True,
)  # fmt: skip


@dataclass
class Kept:
    """One secret of the memory backend: versions from 1, with their values."""

    infos: list[VersionInfo] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: SecretSettings = field(default_factory=SecretSettings)

    @property
    def first(self) -> int:
        """The oldest version that is kept."""
        return max(1, len(self.infos) + 1 - (self.settings.max_versions or len(self.infos)))


class MemoryBackend(Backend):
    """Just enough of a store to answer every operation of KV version 2."""

    capabilities = FULL

    def __init__(self) -> None:
        self.secrets: dict[Path, Kept] = {}
        self.settings = SecretSettings(0, compare_and_set_required=False, delete_after=0)

    def _kept(self, path: Path) -> Kept:
        if path not in self.secrets:
            raise SecretNotFound
        return self.secrets[path]

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        kept = self._kept(path)
        index = len(kept.infos) if version is None else int(version)
        if index == 0:
            raise SecretNotFound
        if not kept.first <= index <= len(kept.infos):
            raise VersionNotFound
        info = kept.infos[index - 1]
        if info.state is not VersionState.LIVE:
            raise Gone(info=dataclasses.replace(info, labels=kept.labels))
        return SecretVersion(info, kept.values[index - 1], kept.labels)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        kept = self.secrets.get(path) or Kept()
        current = str(len(kept.infos)) if kept.infos else None
        required = kept.settings.compare_and_set_required or self.settings.compare_and_set_required
        if expect is None and required:
            raise PreconditionRequired
        if expect is not None and expect.version != current:
            raise Conflict
        now = time.time_ns()
        expires = now + kept.settings.delete_after if kept.settings.delete_after else None
        number = len(kept.infos) + 1
        kept.infos.append(VersionInfo(str(number), number, now, expires_at=expires, labels=kept.labels))
        kept.values.append(value)
        self.secrets[path] = kept
        return kept.infos[-1]

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        below = [path.below(folder).segments for path in self.secrets if path.starts_with(folder) and path != folder]
        entries = sorted({Entry(segments[0], folder=len(segments) > 1) for segments in below})
        start = int(cursor or 0)
        # Pages of two, so that every list of three is more than one page.
        end = start + 2
        return Page(tuple(entries[start:end]), str(end) if end < len(entries) else None)

    async def describe(self, path: Path) -> SecretInfo:
        if not path.segments:
            return SecretInfo(None, (), 1, 2, settings=self.settings)
        kept = self._kept(path)
        versions = tuple(kept.infos[kept.first - 1 :])
        return SecretInfo(versions[-1] if versions else None, versions, 1, 2, kept.labels, kept.settings)

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        given = {k: v for k, v in dataclasses.asdict(settings or SecretSettings()).items() if v is not None}
        if not path.segments:
            self.settings = dataclasses.replace(self.settings, **given)
            return
        kept = self._kept(path) if merge else self.secrets.setdefault(path, Kept())
        if labels is not None:
            merged = {**kept.labels, **labels} if merge else labels
            kept.labels = {name: text for name, text in merged.items() if text is not None}
        kept.settings = dataclasses.replace(kept.settings, **given)

    def _mark(self, path: Path, versions: Sequence[str], state: VersionState, *where: VersionState) -> None:
        kept = self._kept(path)
        if any(int(version) > len(kept.infos) for version in versions):
            raise VersionNotFound("the secret has no such version; nothing was changed")
        for index in (int(version) - 1 for version in versions):
            info = kept.infos[index]
            if info.state in where:
                deleted = time.time_ns() if state is VersionState.DELETED else None
                kept.infos[index] = dataclasses.replace(info, state=state, deleted_at=deleted)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        self._mark(path, versions or [str(len(self._kept(path).infos))], VersionState.DELETED, VersionState.LIVE)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        self._mark(path, versions, VersionState.LIVE, VersionState.DELETED)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        if versions is None:
            self._kept(path)
            del self.secrets[path]
        else:
            self._mark(path, versions, VersionState.DESTROYED, VersionState.LIVE, VersionState.DELETED)


class MemoryLedger:
    """Numbers the versions of stores that do not."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[str]] = {}

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        versions = self._known.setdefault((mount_id, path), [])
        if store_version not in versions:
            versions.append(store_version)
        return versions.index(store_version) + 1

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        versions = self._known.get((mount_id, path), [])
        return versions[ordinal - 1] if 0 < ordinal <= len(versions) else None


class Services:
    """What the gateway itself offers but tokens and AppRole, in memory and without any care for who asks."""

    def __init__(self, gateway: MemoryGateway) -> None:
        self.gateway = gateway
        self.status = system.Status(
            initialized=True, sealed=False, version="0.1.0", cluster_id=str(uuid.uuid4()), cluster_name="wardgate",
            seal_type="key-file",
        )  # fmt: skip
        self.handlers: dict[type[Operation[Any]], Callable[[Context, Any], Any]] = {
            mounts.ListMounts: lambda _c, _o: tuple(gateway.infos.values()),
            mounts.ListVisibleMounts: lambda _c, _o: tuple(gateway.infos.values()),
            mounts.ReadMount: lambda _c, o: gateway.info(o.path.below(mounts.MOUNTS)),
            mounts.CreateMount: lambda _c, o: gateway.create(o),
            mounts.DeleteMount: lambda _c, o: gateway.unmount(o.path.below(mounts.MOUNTS)),
            mounts.TuneMount: lambda _c, o: gateway.tune(o),
            **MemoryPolicies().handlers,
            **gateway.keeper.handlers,
            policies.ReadCapabilities: lambda _c, o: {str(path): frozenset(Action) for path in o.asked},
            system.ReadHealth: lambda _c, _o: self.status,
            system.ReadSealStatus: lambda _c, _o: self.status,
            system.ReadLeader: lambda _c, _o: self.status,
        }


class MemoryGateway:
    """One namespace, one administrator, mounts in memory; remembers what it was asked."""

    def __init__(self, backend: Backend, identity: RealIdentity) -> None:
        self.capabilities = backend.capabilities
        self.infos: dict[Path, mounts.MountInfo] = {}
        self.asked: list[Operation[Any]] = []
        self.keeper = MemoryKeeper()
        self.services = Services(self)
        self._mounts: dict[Path, Mount] = {}
        dispatch = Dispatch(
            {kind: _awaited(handler) for kind, handler in self.services.handlers.items()} | dict(identity.handlers),
            lambda _: self.mounts(""),
            MemoryLedger(),
            lambda _: RING,
            SystemClock(),
            self.keeper,
            NoKeys(),
        )
        self._road = identity.before(dispatch)
        self.mount(Path(("secret",)), "native", {}, backend)
        self.mount(Path(("kv1",)), "native", {"vault.kv": "1"}, backend)

    def mount(
        self, prefix: Path, kind: str, presentation: Mapping[str, str], backend: Backend | None = None
    ) -> mounts.MountInfo:
        if kind != "native":
            raise InvalidValue(f"there is no backend type named {kind!r}")
        if any(prefix.starts_with(other) or other.starts_with(prefix) for other in self._mounts):
            raise AlreadyExists
        info = mounts.MountInfo(str(uuid.uuid4()), prefix, kind, presentation, {}, 1)
        self.infos[prefix] = info
        self._mounts[prefix] = Mount(info.id, "root", prefix, kind, presentation, backend or MemoryBackend())
        return info

    def create(self, operation: mounts.CreateMount) -> None:
        info = self.mount(operation.path.below(mounts.MOUNTS), operation.type, operation.presentation)
        self.infos[info.prefix] = created(info, operation)

    def tune(self, operation: mounts.TuneMount) -> None:
        info = tuned(self.info(operation.path.below(mounts.MOUNTS)), operation)
        self.infos[info.prefix] = info
        self._mounts[info.prefix] = dataclasses.replace(self._mounts[info.prefix], presentation=info.presentation)

    def unmount(self, prefix: Path) -> None:
        self.info(prefix)
        del self.infos[prefix], self._mounts[prefix]

    def info(self, prefix: Path) -> mounts.MountInfo:
        if prefix not in self.infos:
            raise SecretNotFound
        return self.infos[prefix]

    def mounts(self, namespace: str) -> Mounts:
        return Mounts(self._mounts.values() if namespace == "" else ())

    async def perform(
        self,
        arrival: Arrival,
        operation: Operation[Any],
        *,
        credential: Credential | None,
        namespace: str = "",
        wrap: Wrap | None = None,
        repeat: Repeat | None = None,
    ) -> Outcome[Any]:
        assert repeat is None
        self.asked.append(operation)
        mount = self.mounts("").locate(operation.path)
        context = Context(arrival, operation, credential, "" if namespace else "root", mount, wrap)
        return await self._road(context)


def _awaited(handler: Callable[[Context, Any], Any]) -> Callable[[Context, Any], Any]:
    async def answer(context: Context, operation: Any) -> Any:
        return handler(context, operation)

    return answer


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealIdentity]:
    """Tokens and AppRole."""
    made = RealIdentity(tmp_path_factory.mktemp("identity"))
    yield made
    made.close()


@pytest.fixture
def gateway(request: pytest.FixtureRequest, tmp_path: FilePath, identity: RealIdentity) -> MemoryGateway:
    """A gateway with one mount, at ``secret/``: everything in memory, or, asked for by parameter, ``odd``."""
    odd = getattr(request, "param", "memory") == "odd"
    return MemoryGateway(OddBackend(tmp_path) if odd else MemoryBackend(), identity)


@pytest.fixture
def token() -> str:
    """The administrator's token."""
    return TOKEN


@pytest.fixture
def send(gateway: MemoryGateway) -> Send:
    """Send one request to the front-end over that gateway."""
    frontend = FRONTEND.open(None, gateway)
    ids = itertools.count(1)

    def send_one(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            ARRIVAL: Arrival(str(uuid.UUID(int=next(ids))), time.time_ns(), time.monotonic() + 10, "127.0.0.1"),
        }
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def sending(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        asyncio.run(frontend(scope, receive, sending))
        start, end = sent
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        return Response(start["status"], names, end["body"])

    return send_one
