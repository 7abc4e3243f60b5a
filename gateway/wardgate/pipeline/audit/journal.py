"""The journal of one worker, as the layers see it: a record is durable when the call returns, else it raises."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path as FilePath
from typing import Any, Final, Literal

from wardgate.config import AuditConfig
from wardgate.context import Context
from wardgate.crypto import RootKey
from wardgate.pipeline.audit.budgets import Budget, Budgets, Counted, network_of
from wardgate.pipeline.audit.committer import Committer, Watch
from wardgate.pipeline.audit.record import Record
from wardgate.pipeline.audit.renderer import Renderer
from wardgate.pipeline.audit.shard import Entry, Settings, Shard
from wardgate.pipeline.audit.sink import Disk, SinkRetired
from wardgate.pipeline.audit.trouble import HANGING, RETIRED, UNCLEAR, Trouble, sentence_for
from wardgate.spi.errors import RateLimited, Unavailable, WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.system import ReadLeader, ReadSealStatus
from wardgate.spi.services import Clock

Found = Literal["committed", "absent", "unknown"]
Resolve = Callable[[Record], Found]
"""Says of a request record that a crash left open whether its change (``record.pair``) was made."""

WINDOW: Final = 60.0
"""Seconds after which what was only counted is written, as one record for each source or principal."""

PUBLIC: Final = frozenset({ReadSealStatus, ReadLeader})
"""Their answers are the same for everybody and hold nothing of a store, so that a count of them says enough."""

_LATE: Final = 0.05
_CODES: Final[dict[Found, str]] = {"committed": "ok", "absent": "unavailable", "unknown": "outcome_unknown"}


def _unwatched(_records: int, _failed: int, _seconds: float, _retired: str) -> None:
    """Keep no count."""


async def _counted() -> None:
    """Nothing to wait for."""


class Journal:
    """Renders records and hands them to the committer. Used in one event loop, between ``open`` and ``close``.

    ``fault`` says why nothing can be written any more; empty while all is well.
    """

    def __init__(
        self,
        folder: FilePath,
        slot: int,
        hmac_key: bytes,
        clock: Clock,
        *,
        settings: Settings,
        disk: Disk | None = None,
        watch: Watch = _unwatched,
    ) -> None:
        self._watch = watch
        self.boot = uuid.uuid4().hex
        self.fault = ""
        self._patience = settings.patience
        self._renderer = Renderer(slot, self.boot, hmac_key, clock)
        self.fingerprint = self._renderer.fingerprint
        self._shard = Shard(folder, slot, self.boot, clock, settings, disk or Disk())
        self._budgets = Budgets(clock, rate=settings.anonymous_rate, burst=settings.anonymous_burst)
        self._pairs: dict[Context, str] = {}
        self._none_open = asyncio.Event()
        self._last_pair = 0
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._stalled = False
        self._trouble = Trouble(clock)
        self._committer: Committer | None = None
        self._gathered: list[Entry] = []
        self._committing = False
        self._expiry: asyncio.TimerHandle | None = None
        self._window: asyncio.TimerHandle | None = None

    @classmethod
    def of(
        cls, config: AuditConfig, slot: int, root: RootKey, clock: Clock, *, watch: Watch = _unwatched, **more: Any
    ) -> Journal:
        """The journal of one shard of an installation; ``more`` are settings that no configuration has."""
        settings = Settings(
            synced=config.synced,
            max_file_bytes=config.max_file_bytes,
            retention_files=config.retention_files,
            **more,
        )
        return cls(config.folder, slot, root.derive("audit-hmac"), clock, settings=settings, watch=watch)

    async def open(self, resolve: Resolve) -> None:
        """Recover the shard, write the boot record, close what a crash left open; blocks the loop meanwhile.

        Raises:
            Unavailable: the folder cannot be used or written, or another process has this shard.
        """
        try:
            left_open = self._shard.recover(self._renderer.boot)
        except (OSError, SinkRetired) as error:
            self._shard.close()
            raise Unavailable(
                sentence_for(error) if isinstance(error, OSError) else f"{error}; mend the disk"
            ) from None
        self._loop = asyncio.get_running_loop()
        self._committer = Committer(self._shard, self._loop, self._settle, self._watch)
        for record in left_open:
            found: Found = "unknown"
            with suppress(WardgateError):
                found = resolve(record)
            await self._put(Entry(self._renderer.recovered(record, _CODES[found], found), record.pair))

    def check(self) -> None:
        """Refuse at once what could not be recorded. Raises Unavailable."""
        if self.fault:
            raise Unavailable(RETIRED)
        if self._stalled:
            raise Unavailable(HANGING)

    async def request(self, context: Context) -> str:
        """Write the request record of a change; return the pair's id, unique for ever, for the store to commit.

        Raises:
            Unavailable: it is not durable, so nothing may be done.
            RateLimited: too many failed logins from this source, or from all together; nothing may be done.
        """
        self.check()
        if context.known("principal") is None and not self._budgets.logins.admit(network_of(context.arrival.source)):
            raise RateLimited("too many attempts from this address; wait a little")
        self._last_pair += 1
        pair = f"{self.boot}-{self._last_pair}"
        body = self._renderer.request(context, pair)
        self._pairs[context] = pair
        await self._put(Entry(body, pair, opens=True))
        return pair

    def closing(self, context: Context, code: str, outcome: Outcome[Any] | None = None) -> Awaitable[None]:
        """Write the closing record: how the request ended, before its answer leaves.

        Whatever was granted is always written. Beyond its budget it is counted instead, and a summary will say so: a
        refusal of somebody who had no leave, and an answer of the gateway's own state (``PUBLIC``). To refuse that
        would keep nothing secret, and let strangers hide it from those who share their address. It fails closed all
        the same: where the audit is known not to take records, it is not answered either.
        Once this was called the record will be written, even if the caller does not wait for it.

        Raises:
            Unavailable: it is not durable, so the answer may not leave.
        """
        pair = self._pairs.pop(context, "")
        if self.fault or not pair:
            self.check()
        if pair and not self._pairs:
            self._none_open.set()
        if not pair:
            if self._suffices_to_count(context, code):
                return _counted()
        elif code == "ok" and context.known("principal") is None:
            self._budgets.logins.refund(network_of(context.arrival.source))
        return self._put(Entry(self._renderer.closing(context, pair, code, outcome), pair))

    async def close(self, patience: float = 5.0) -> None:
        """Wait for the closing records of changes under way, commit what waits, give the shard back; refuse the rest.

        Gives up after ``patience`` seconds; what is then open is closed at the next boot.
        """
        if self._committer is None:
            return
        deadline = self._loop.time() + patience
        if self._pairs:
            self._none_open.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none_open.wait(), patience)
        self._summarize()
        self.fault = self.fault or "the gateway is stopping"
        if self._gathered:
            self._commit()
        await asyncio.to_thread(self._committer.stop, max(0.1, deadline - self._loop.time()))
        for timer in (self._expiry, self._window):
            if timer:
                timer.cancel()

    def _put(self, entry: Entry) -> asyncio.Future[None]:
        loop = self._loop
        future: asyncio.Future[None] = loop.create_future()
        deadline = loop.time() + self._patience
        self._waiting.append((deadline, future))
        self._gathered.append(entry)
        if not self._committing:
            # At the end of this turn of the loop: what its other requests put by then shares the write and the sync.
            self._committing = True
            loop.call_soon(self._commit)
        if self._expiry is None:
            self._expiry = loop.call_at(deadline, self._expire)
        return future

    def _commit(self) -> None:
        """Hand over what was gathered; what comes meanwhile is the next batch."""
        batch, self._gathered = self._gathered, []
        self._committing = bool(batch)
        if batch and self._committer is not None:
            self._committer.put(batch)

    def _settle(self, count: int, failed: frozenset[int] | None, retired: str, trouble: str) -> None:
        """Answer the waiters of a batch; the committer has it called in the loop."""
        self._commit()
        self._stalled = False
        self.fault = self.fault or retired
        if not retired:
            self._trouble.heard(trouble)
        for index in range(count):
            future = self._waiting.popleft()[1]
            if future.done():
                continue
            if failed is None or index not in failed:
                future.set_result(None)
            else:
                future.set_exception(Unavailable(RETIRED if retired else trouble or UNCLEAR))

    def _expire(self) -> None:
        """Give up on what waited too long. It may still be written: the audit may say too much, never too little."""
        now = self._loop.time()
        if self._expiry and now - self._expiry.when() > _LATE:
            # The loop itself was held up: the answer may be waiting behind this very call.
            self._expiry = self._loop.call_later(_LATE, self._expire)
            return
        self._expiry = None
        for deadline, future in self._waiting:
            if deadline > now:
                self._expiry = self._loop.call_at(deadline, self._expire)
                break
            self._stalled = True
            self._trouble.heard(HANGING)
            if not future.done():
                future.set_exception(Unavailable(HANGING))

    def _suffices_to_count(self, context: Context, code: str) -> bool:
        """Whether the end of a request, which changed nothing, is beyond its budget; then it was counted."""
        principal = context.known("principal")
        if code != "ok" and principal is None:
            budget, subject = self._budgets.denials, network_of(context.arrival.source)
        elif code != "ok" and context.known("decision") is None:
            budget, subject = self._budgets.principals, principal.id
        elif type(context.operation) in PUBLIC:
            budget, subject = self._budgets.answers, network_of(context.arrival.source)
        else:
            return False
        if budget.admit(subject):
            return False
        budget.count(subject)
        self._open_window()
        return True

    def _open_window(self) -> None:
        if self._window is None and not self.fault:
            self._window = self._loop.call_later(WINDOW, self._summarize)

    def _summarize(self) -> None:
        self._window = None
        budgets, render = self._budgets, self._renderer.summary
        for counted in budgets.denials.harvest():
            self._account(budgets.denials, counted, render(counted.count, counted.since, source=counted.subject))
        for counted in budgets.principals.harvest():
            self._account(budgets.principals, counted, render(counted.count, counted.since, principal=counted.subject))
        for counted in budgets.answers.harvest():
            body = render(counted.count, counted.since, source=counted.subject, code="ok")
            self._account(budgets.answers, counted, body)

    def _account(self, budget: Budget, counted: Counted, body: bytes) -> None:
        self._put(Entry(body)).add_done_callback(partial(self._keep, budget, counted))

    def _keep(self, budget: Budget, counted: Counted, written: asyncio.Future[None]) -> None:
        """A count that could not be written is counted on, for the next window."""
        if not written.cancelled() and written.exception():
            budget.count(counted.subject, counted.count, counted.since)
            self._open_window()
