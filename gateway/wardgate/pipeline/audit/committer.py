"""The thread that commits: it is given a batch, makes it durable, and says so in the loop."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from wardgate.pipeline.audit.shard import Entry, Shard
from wardgate.pipeline.audit.sink import SinkRetired

_log = logging.getLogger(__name__)

Watch = Callable[[int, int, float, str], None]
"""Told of each batch, in the committer's own thread: its records, how many of them are not durable, the seconds it
took, and why the sink is retired, if it is."""

Answer = Callable[[int, frozenset[int] | None, str, str], None]
"""Called in the loop for each batch: its length; the indices that are not durable (None: all are durable); why the
sink was retired, if it was; and what else keeps records from being written, in a sentence."""


class Committer:
    """Owns the shard from its start to its stop."""

    def __init__(self, shard: Shard, loop: AbstractEventLoop, answer: Answer, watch: Watch) -> None:
        self._shard = shard
        self._loop = loop
        self._answer = answer
        self._watch = watch
        self._queue: SimpleQueue[Sequence[Entry] | None] = SimpleQueue()
        self.put = self._queue.put
        # A daemon, because a hanging disk must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"audit-{shard.slot}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Commit what waits and end the thread; False when it hangs. Blocks up to ``timeout`` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        retired = ""
        while batch := self._queue.get():
            begun = time.perf_counter()
            failed, retired = self._commit(batch, retired)
            seconds = time.perf_counter() - begun
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._answer, len(batch), failed, retired, self._shard.trouble)
            self._watch(len(batch), len(failed or ()), seconds, retired)
        self._shard.close()

    def _commit(self, batch: Sequence[Entry], retired: str) -> tuple[frozenset[int] | None, str]:
        if not retired:
            try:
                durable = self._shard.commit(batch)
            except SinkRetired as error:
                retired = str(error)
            except Exception:  # noqa: BLE001  # a defect: what the file holds is not known, so nothing may follow
                _log.exception("the audit's committer failed", extra={"event": "audit_failed"})
                retired = "the audit failed"
            else:
                if len(durable) == len(batch):
                    return None, ""
                kept = {id(entry) for entry in durable}
                return frozenset(index for index, entry in enumerate(batch) if id(entry) not in kept), ""
            told = {"event": "audit_retired"}
            _log.critical("the audit is retired and the worker refuses service: %s", retired, extra=told)
        return frozenset(range(len(batch))), retired
