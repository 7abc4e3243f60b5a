"""Mounts: which backend answers below which prefix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import replace
from functools import partial

from wardgate.context import Context
from wardgate.mounts import Mount, probe
from wardgate.services.names import is_text
from wardgate.services.service import Handlers, asker
from wardgate.spi.backend import Backend, Permission
from wardgate.spi.errors import InvalidValue, PermissionDenied, SecretNotFound, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import MAX_TEXT
from wardgate.spi.operations.mounts import (
    ALL,
    CHECKS,
    MOUNTS,
    NONE,
    READING,
    CreateMount,
    DeleteMount,
    ListMounts,
    ListVisibleMounts,
    MountInfo,
    ReadMount,
    TuneMount,
)
from wardgate.spi.options import REDACTED, nearest, parse, redact
from wardgate.spi.path import Path
from wardgate.state import State
from wardgate.state.lives import SECOND, check_leases
from wardgate.state.mounts import MountRow
from wardgate.state.namespaces import ROOT_NAMESPACE

PROBE_SECONDS = 15.0
"""How long a new mount's store may take to answer before the mount is refused."""
NOT_MADE = "the mount was not made"
MAX_PRESENTATIONS = 16
MAX_CACHE_TTL = 86_400 * SECOND


class MountsService:
    """Keeps the mounts of a namespace. A new one is opened and asked once before it is kept."""

    def __init__(
        self,
        state: State,
        *,
        types: Mapping[str, BackendType],
        open_backend: Callable[[str, MountRow], Backend],
        opened: Callable[[str], Iterable[Mount]],
        reaches: Callable[[Principal, Path, Arrival], bool],
        namespace_backends: Container[str],
        presentations: Mapping[str, Collection[str]],
        elsewhere: Callable[[], str] = str,
    ) -> None:
        self._elsewhere = elsewhere
        self._presentations = presentations
        self._namespace_backends = namespace_backends
        self._mounts = state.mounts
        self._types = types
        self._open_backend = open_backend
        self._opened = opened
        self._reaches = reaches
        self.handlers: Handlers = {
            ListMounts: self.list,
            ListVisibleMounts: self.list_visible,
            ReadMount: self.read,
            CreateMount: self.create,
            TuneMount: self.tune,
            DeleteMount: self.delete,
        }

    async def list(self, context: Context, _operation: ListMounts) -> tuple[MountInfo, ...]:
        """All mounts, by prefix."""
        faults = self._faults(context.namespace)
        return tuple(self._info(row, faults) for row in self._mounts.of(context.namespace))

    async def list_visible(self, context: Context, _operation: ListVisibleMounts) -> tuple[MountInfo, ...]:
        """The mounts the asker may do anything at all below, without options, description or fault."""
        principal = asker(context)
        can = {mount.id: mount.capabilities for mount in self._opened(context.namespace) if mount.backend is not None}
        return tuple(
            MountInfo(row.id, row.prefix, row.type, row.presentation, {}, row.created_at, capabilities=can.get(row.id))
            for row in self._mounts.of(context.namespace)
            if self._reaches(principal, row.prefix, context.arrival)
        )

    async def read(self, context: Context, operation: ReadMount) -> MountInfo:
        """One mount. Raises SecretNotFound."""
        row = self._mounts.at(context.namespace, _prefix(operation.path))
        return self._info(row, self._faults(context.namespace))

    async def create(self, context: Context, operation: CreateMount) -> MountInfo:
        """Open the store, ask whether it answers and allows what the mount is for, and keep the mount.

        Raises:
            PermissionDenied: the operator does not let namespaces mount stores of that type, or the store does not
                accept the mount's credential, or does not give it the permissions that are needed.
            InvalidValue: an unknown type or option (with the nearest right name), or a prefix that cannot be taken.
            AlreadyExists: a mount is there, above or below.
            Unavailable: the store does not answer.
        """
        prefix = _prefix(operation.path)
        kind = self._types.get(operation.type)
        if kind is None:
            raise InvalidValue(
                f"unknown mount type {operation.type[:80]!r}{nearest(operation.type[:80], self._types)}"
                f"{self._elsewhere()}"
            )
        allowed = kind.embedded or operation.type in self._namespace_backends
        if context.namespace != ROOT_NAMESPACE and not allowed:
            # It would connect from the gateway's own network, to wherever a tenant says.
            raise PermissionDenied(
                f"namespaces may not mount a {operation.type} store here; the operator can allow it: namespace_backends"
            )
        parse(kind.options, operation.options, of=f"mount {prefix}/")
        _check_texts(operation)
        if operation.check not in CHECKS:
            raise InvalidValue(f"check can be {' or '.join(CHECKS)}")
        self._check_presentation(operation.presentation)
        self._mounts.precheck(context.namespace, prefix)
        row = self._mounts.draft(
            context.namespace,
            prefix,
            operation.type,
            options=operation.options,
            presentation=operation.presentation,
            description=operation.description,
            cache_ttl=operation.cache_ttl,
            default_lease_ttl=operation.default_lease_ttl,
            max_lease_ttl=operation.max_lease_ttl,
        )
        _check_ttls(row)
        await self._probe(row, operation.check)
        await self._mounts.add(row)
        return self._info(row, {})

    async def tune(self, context: Context, operation: TuneMount) -> MountInfo:
        """Change how a mount is shown, described and remembered; its store is not touched, nor asked.

        Raises:
            SecretNotFound: there is none.
            InvalidValue: a text or a TTL that cannot be.
        """
        self._check_presentation(operation.presentation)
        row = await self._mounts.tune(context.namespace, _prefix(operation.path), partial(_tuned, operation))
        return self._info(row, self._faults(context.namespace))

    async def delete(self, context: Context, operation: DeleteMount) -> None:
        """Forget a mount; what its store holds stays there. Raises SecretNotFound."""
        await self._mounts.remove(context.namespace, _prefix(operation.path))

    def _check_presentation(self, given: Mapping[str, str]) -> None:
        """Refuse what no loaded front-end knows."""
        known = self._presentations
        for key, value in given.items():
            if key not in known:
                raise InvalidValue(f"no front-end knows the presentation {key[:80]!r}{nearest(key[:80], known)}")
            if value not in known[key]:
                raise InvalidValue(f"{key} can be {' or '.join(known[key])}")

    async def _probe(self, row: MountRow, check: str) -> None:
        """Open a mount that is not kept yet, ask its store, and close it, whatever comes of it."""
        backend = self._open_backend(row.namespace, row)
        error: WardgateError | None = None
        try:
            if check != NONE:
                permissions = await probe.ask(backend, seconds=PROBE_SECONDS)
                lacking = probe.missing(permissions, backend.capabilities, reading=check == READING)
                if lacking:
                    error = PermissionDenied(f"{NOT_MADE}: {_lacking(permissions, lacking, check)}")
        except (Unavailable, PermissionDenied) as said:
            error = type(said)(f"{NOT_MADE}: {said.message}")
        finally:
            await backend.close()
        if error is not None:
            raise error

    def _faults(self, namespace: str) -> Mapping[str, str]:
        return {mount.id: mount.fault for mount in self._opened(namespace)}

    def _info(self, row: MountRow, faults: Mapping[str, str]) -> MountInfo:
        kind = self._types.get(row.type)
        # Without its plugin nobody knows which options are secret: all are.
        options = redact(kind.options, row.options) if kind else dict.fromkeys(row.options, REDACTED)
        return MountInfo(
            row.id,
            row.prefix,
            row.type,
            row.presentation,
            options,
            row.created_at,
            row.description,
            row.fault or faults.get(row.id, ""),
            row.cache_ttl,
            row.default_lease_ttl,
            row.max_lease_ttl,
        )


def _prefix(path: Path) -> Path:
    if not path.starts_with(MOUNTS) or len(path.segments) == len(MOUNTS.segments):
        raise SecretNotFound(f"there is nothing at {path}")
    return path.below(MOUNTS)


def _lacking(asked: Collection[Permission], permissions: Collection[Permission], check: str) -> str:
    """Which permissions are missing, and how to go on without them."""
    less = f"ask for less: 'check' can be {READING}" if check == ALL else f"do not ask: 'check' can be {NONE}"
    return (
        f"the mount's credential lacks these permissions{probe.doubt(asked)}: {probe.sentence(permissions)};"
        f" grant them, or {less}"
    )


def _tuned(operation: TuneMount, row: MountRow) -> MountRow:
    tuned = replace(
        row,
        description=row.description if operation.description is None else operation.description,
        presentation={**row.presentation, **operation.presentation},
        cache_ttl=row.cache_ttl if operation.cache_ttl is None else operation.cache_ttl.duration,
        default_lease_ttl=_or(operation.default_lease_ttl, row.default_lease_ttl),
        max_lease_ttl=_or(operation.max_lease_ttl, row.max_lease_ttl),
    )
    _check_texts(tuned)
    _check_ttls(tuned)
    return tuned


def _or(given: int | None, kept: int) -> int:
    return kept if given is None else given


def _check_ttls(row: MountRow) -> None:
    if row.cache_ttl is not None and not 0 <= row.cache_ttl <= MAX_CACHE_TTL:
        raise InvalidValue("cache_ttl must be 0 (never remembered) to 24 hours")
    check_leases(row.default_lease_ttl, row.max_lease_ttl)


def _check_texts(operation: CreateMount | MountRow) -> None:
    presentation = operation.presentation
    texts = [operation.description, *presentation, *presentation.values()]
    if len(presentation) > MAX_PRESENTATIONS or not all(map(is_text, texts)):
        raise InvalidValue(
            f"a presentation has at most {MAX_PRESENTATIONS} entries, and each text {MAX_TEXT} printable characters"
        )
