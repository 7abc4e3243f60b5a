"""Puts the parts together: state, plugins, services and layers become one application in each worker."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from wardgate import __version__, services
from wardgate.clock import SystemClock
from wardgate.config import Config
from wardgate.crypto.seal import KeyFileSeal
from wardgate.frontends import Frontends
from wardgate.gateway import Gateway
from wardgate.health import Health
from wardgate.mounts import OpenMounts
from wardgate.mounts.opener import Opener
from wardgate.pipeline import Handler, compose
from wardgate.pipeline.accept import Accept
from wardgate.pipeline.audit import Audit, Found, Journal, Record
from wardgate.pipeline.authenticate import Authenticate
from wardgate.pipeline.authorize import BUILT_IN, Authorize, Engine
from wardgate.pipeline.begin import Begin
from wardgate.pipeline.cache import Cache
from wardgate.pipeline.cache import Limits as CacheLimits
from wardgate.pipeline.dispatch import Dispatch
from wardgate.registry import Registry
from wardgate.server.facts import Worker
from wardgate.spi.errors import InvalidValue, WardgateError
from wardgate.spi.frontend import Frontend, Receive, Scope, Send
from wardgate.spi.identity import Authenticator
from wardgate.spi.path import SERVICES, Path
from wardgate.spi.services import Clock, Services
from wardgate.state import State
from wardgate.state.authenticator import TokenAuthenticator
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.telemetry import page
from wardgate.telemetry.exposition import exposition
from wardgate.telemetry.watching import Watching
from wardgate.type_options import AUTHENTICATOR, FRONTEND, TypeOptions, opened

if TYPE_CHECKING:
    from wardgate.telemetry.traces import Tracing

RECONCILE_EVERY = 0.25
"""Seconds between looks for changes by a process that died before it could tell."""

_log = logging.getLogger(__name__)


class Application:
    """One worker's application: ASGI, between ``start`` and ``drain``."""

    def __init__(self, config: Config, worker: Worker) -> None:
        clock = SystemClock()
        self._epochs = worker.epochs
        self._registry = Registry.load(config.plugins)
        self._state = State.open(config.data, KeyFileSeal.load(config.key_file), clock, worker.epochs)
        opener = Opener(self._registry.backend_types, self._state, clock, self._registry.plugins)
        self._mounts = OpenMounts(self._state.mounts.of, opener.of_row, opener.embedded)
        self._tracing = _tracing(config, worker)
        self._watching = Watching(worker.meters, self._tracing)
        self._journal = Journal.of(config.audit, worker.slot, self._state.root, clock, watch=self._watching.commit)
        self._begin = Begin(self._journal)
        engine = Engine(self._state.policies.of, worker.epochs, self._state.labels.of)
        self._cache = Cache(
            worker.epochs,
            clock,
            self._mounts.of,
            limits=CacheLimits(config.cache.entries, config.cache.bytes),
            ttl=round(config.cache.ttl_seconds * 10**9),
            count=self._watching.cache,
        )
        of_frontends, of_authenticators = self._registry.options(config.type_options)
        others = self._others(of_authenticators, config.type_options, clock)
        authenticators = [TokenAuthenticator(self._state.principals), *others]
        road = compose(
            [
                Audit(self._journal),
                Authenticate(authenticators, clock, worker.epochs, fingerprint=self._journal.fingerprint),
                Authorize(engine),
                self._begin,
                self._cache,
            ],
            Dispatch(
                self._handlers(config, worker, engine, opener, clock),
                self._mounts.of,
                self._state.ledger,
                opener.keyring,
                clock,
                watch=self._watching,
                keeper=self._state.wrapping,
                keys=self._state.idempotency,
            ),
        )
        checks = {"state": self._state_fault, "audit": self._audit_fault, "running": worker.stopping}
        frontends = Frontends(self._claims(road, of_frontends, config.type_options))
        followed = self._tracing.requests(frontends) if self._tracing else frontends
        self._asgi = Accept(Health(followed, checks), config.limits, clock)
        self._reconciling: asyncio.Task[None] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        return self._asgi(scope, receive, send)

    async def start(self) -> None:
        """Open the audit, close what a crash left open in it, and keep watch over the state.

        Raises:
            Unavailable: the audit cannot be written.
        """
        await self._journal.open(self._outcome_of)
        self._cache.forget_everywhere()  # this worker may replace one that died amid a change
        self._reconciling = asyncio.get_running_loop().create_task(self._reconcile())

    async def drain(self) -> None:
        """Finish the changes under way, write their records, and close everything."""
        await self._begin.drain(patience=5.0)
        if self._reconciling is not None:
            self._reconciling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reconciling
        await self._cache.close()
        await self._journal.close()
        await self._mounts.close()
        await self._state.close()
        if self._tracing is not None:
            await self._tracing.close()

    def _handlers(
        self, config: Config, worker: Worker, engine: Engine, opener: Opener, clock: Clock
    ) -> services.Handlers:
        return services.build(
            self._state,
            engine=engine,
            built_in=BUILT_IN,
            types=self._registry.backend_types,
            open_backend=opener.of_row,
            opened=self._mounts.of,
            clock=clock,
            version=__version__,
            metrics=partial(exposition, worker.meters.page),
            namespace_backends=config.namespace_backends,
            presentations=self._registry.presentations,
            elsewhere=opener.elsewhere,
        )

    def _others(self, parsed: Mapping[str, object], tables: TypeOptions, clock: Clock) -> list[Authenticator]:
        """The authenticators of plugins."""

        def lent(name: str) -> Services:
            bound = f"{AUTHENTICATOR}/{name}"  # no mount has an id like it
            keyring = self._state.keyring(ROOT_NAMESPACE).scoped(bound)
            return Services(clock, keyring, self._state.storage, ROOT_NAMESPACE, bound)

        return [
            opened(tables.of(AUTHENTICATOR, name), partial(kind.open, parsed[name], lent(name)))
            for name, kind in self._registry.authenticator_types.items()
        ]

    def _claims(self, road: Handler, parsed: Mapping[str, object], tables: TypeOptions) -> list[tuple[str, Frontend]]:
        """Every front-end by the prefixes it claims; each has a door of its own, where its requests are counted."""

        def door(name: str) -> Gateway:
            return Gateway(
                self._watching.road(road, name),
                self._state.namespaces.resolve,
                self._mounts.of,
                partial(self._epochs.read, self._epochs.slot("state")),
            )

        opened_once = {
            name: opened(tables.of(FRONTEND, name), partial(kind.open, parsed[name], door(name)))
            for name, kind in self._registry.frontend_types.items()
        }
        claims = [
            (prefix, opened_once[name])
            for name, kind in self._registry.frontend_types.items()
            for prefix in kind.claims.path_prefixes
        ]
        return [*claims, (page.TARGET, page.MetricsPage(door(page.NAME)))]

    def _state_fault(self) -> str:
        try:
            self._state.check()
        except WardgateError:
            return "it cannot be read"
        return ""

    def _audit_fault(self) -> str:
        try:
            self._journal.check()
        except WardgateError:
            return "it cannot be written"
        return "records could not be written" if self._watching.unwritten() else ""

    async def _reconcile(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_EVERY)
            try:
                self._state.reconcile()
                self._watching.cached(self._cache.memory.count, self._cache.memory.size)
            except WardgateError as error:
                told = {"event": "state_unreadable"}
                _log.warning("the state could not be looked at: %s", error.message, extra=told)

    def _outcome_of(self, record: Record) -> Found:
        """Whether a change that a crash left open was made; only our own storage can tell."""
        path = Path(tuple(record.path.split("/")))
        if path.segments[0] in SERVICES:
            return "committed" if self._state.committed(record.pair, ()) else "absent"
        mount = self._mounts.of(record.namespace).locate(path)
        if mount is None or not mount.embedded:
            return "unknown"
        return "committed" if self._state.committed(record.pair, (record.namespace,)) else "absent"


def _tracing(config: Config, worker: Worker) -> Tracing | None:
    if config.traces.endpoint is None:
        return None
    try:
        from wardgate.telemetry.traces import Tracing  # noqa: PLC0415  # who has no traces need not even have it
    except ImportError:
        raise InvalidValue("[traces] needs OpenTelemetry; install it: pip install 'wardgate[traces]'") from None
    return Tracing(config.traces, worker.boot_id, worker.meters)


def preload(config: Config) -> None:
    """Import what every worker will need, once, in the process that forks them.

    Raises:
        InvalidValue: a plugin is not installed, cannot be imported, clashes with another, or has wrong options.
    """
    Registry.load(config.plugins).options(config.type_options)


async def build(config: Config, worker: Worker) -> Application:
    """Make a worker's application, in its process and on its loop.

    Raises:
        WardgateError: a plugin, the key file or the data folder cannot be used; one sentence says what to do.
    """
    return Application(config, worker)
