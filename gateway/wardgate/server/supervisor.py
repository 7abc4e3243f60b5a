"""The supervisor: owns the listening socket, keeps one worker in each slot, and stops them in good order.

It answers no request, runs no event loop and starts no thread, so that forking from it is safe at any time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wardgate.config import Config
from wardgate.server import worker as workers
from wardgate.server.control import Control
from wardgate.server.epochs import SharedEpochs
from wardgate.server.facts import Worker
from wardgate.server.listener import Stop
from wardgate.server.loads import NOBODY, Loads
from wardgate.telemetry.cells import Page
from wardgate.telemetry.metrics import RESTARTS, STOPPING, Meters

START_SECONDS: Final = 60.0
"""A worker that is not ready by then is taken for hung."""

STEADY_SECONDS: Final = 60.0
"""A worker that lived so long starts anew with the shortest back-off."""

FIRST_BACK_OFF: Final = 0.1
LONGEST_BACK_OFF: Final = 10.0
_KILL_AFTER = workers.DRAIN_SECONDS + 5.0
_log = logging.getLogger(__name__)
_STOPPING = "the gateway is stopping"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(slots=True)
class Slot:
    """One worker's place. Times are monotonic seconds; ``next_start`` is when an empty slot is filled."""

    number: int
    pid: int = 0
    boot_id: str = ""
    report: int = -1
    ready: bool = False
    leaving: bool = False
    started: float = 0.0
    next_start: float = 0.0
    restarts: int = 0
    deaths: int = 0
    fault: str = field(default="", repr=False)


class Supervisor:
    """Runs until it is told to stop. ``on_ready`` is called once, when every worker has been ready."""

    def __init__(
        self, config: Config, build: workers.Build, listener: socket.socket, on_ready: Callable[[], None]
    ) -> None:
        self._config = config
        self._build = build
        self._listener = listener
        self._on_ready: Callable[[], None] | None = on_ready
        self._epochs = SharedEpochs.create()
        self._loads = Loads(config.workers)
        self._page = Page(config.workers + 1)
        self._meters = Meters(self._page, config.workers)
        self._meters.set(STOPPING, 0.0)  # before the fork, so that workers find it where it is
        self._slots = [Slot(number) for number in range(config.workers)]
        self._signals: list[int] = []
        self._previous: dict[int, Any] = {}
        self._stopping = False
        self._stop_at = self._kill_at = float("inf")
        self._to_replace: list[Slot] = []
        self._selector = selectors.DefaultSelector()
        self._control = Control(config.runtime, {"status": self._status, "reload": self._reload})
        self._wakeup, self._waker = socket.socketpair()

    def run(self) -> None:
        """Start the workers and watch them until a signal.

        Raises:
            Stop: a worker could not start. The others are stopped then.
        """
        self._watch()
        try:
            while not (self._stopping and not any(slot.pid for slot in self._slots)):
                self._fill()
                for key, _ in self._selector.select(self._patience()):
                    key.data()
                self._reap()
                self._act_on_signals()
        finally:
            self._kill_all()
            self._leave()

    def _watch(self) -> None:
        for end in (self._wakeup, self._waker):
            end.setblocking(False)  # noqa: FBT003  # the socket module takes it so
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, lambda number, _frame: self._signals.append(number))
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, lambda: self._wakeup.recv(4096))
        self._selector.register(self._control.socket, selectors.EVENT_READ, self._control.answer)

    def _leave(self) -> None:
        """Give back to the caller's process what this took."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._selector.close()
        self._control.close()
        for end in (self._wakeup, self._waker):
            end.close()

    # Workers

    def _fill(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if not slot.pid and not self._stopping and now >= slot.next_start:
                self._start(slot)
            elif slot.pid and not slot.ready and now > slot.started + START_SECONDS:
                slot.fault = slot.fault or f"it was not ready within {START_SECONDS:.0f} s"
                _kill(slot, signal.SIGKILL)
        if now >= self._stop_at:
            self._end()
        if now >= self._kill_at:
            self._kill_all()
        if self._to_replace and all(slot.ready and not slot.leaving for slot in self._slots):
            leaving = self._to_replace.pop()
            leaving.leaving = True
            _kill(leaving, signal.SIGTERM)

    def _start(self, slot: Slot) -> None:
        slot.boot_id = str(uuid.uuid4())
        meters = Meters(self._page, slot.number)
        facts = Worker(slot.number, slot.boot_id, self._epochs, meters, lambda: _STOPPING * self._told_to_stop())
        ours, theirs = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        # Held back until the child has its own handlers, or a stop in between would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._be_worker(facts, theirs, parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(theirs)
        os.set_blocking(ours, False)
        slot.pid, slot.report, slot.started = pid, ours, time.monotonic()
        slot.ready = slot.leaving = False
        slot.fault = ""
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(slot))

    def _be_worker(self, facts: Worker, report: int, parent: int) -> None:
        """The child's side of the fork; never returns."""
        code = 1
        try:
            self._selector.close()
            for end in (self._wakeup, self._waker, self._control.socket):
                end.close()
            for slot in self._slots:
                if slot.report >= 0:
                    os.close(slot.report)
            code = workers.run(
                self._config,
                facts,
                self._build,
                listener=self._listener,
                loads=self._loads,
                report=report,
                parent=parent,
            )
        except BaseException as error:  # noqa: BLE001  # nothing of the parent may run on in the child
            with contextlib.suppress(OSError):
                workers.tell(report, fault=workers.where(error))
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _hear(self, slot: Slot) -> None:
        told = os.read(slot.report, 64 * 1024)
        if not told:
            self._selector.unregister(slot.report)
            os.close(slot.report)
            slot.report = -1
        for line in told.splitlines():
            fact = json.loads(line)
            slot.fault = fact["fault"] or slot.fault
            if fact["ready"]:
                slot.ready = True
                _log.info("worker %d (process %d) is ready", slot.number, slot.pid, extra={"event": "worker_ready"})
                if self._on_ready is not None and all(each.ready for each in self._slots):
                    on_ready, self._on_ready = self._on_ready, None
                    on_ready()

    def _reap(self) -> None:
        for slot in self._slots:
            if not slot.pid:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid:
                if slot.report >= 0:
                    self._hear(slot)
                self._ended(slot, os.waitstatus_to_exitcode(status))

    def _ended(self, slot: Slot, code: int) -> None:
        """A worker has ended: as asked, or not."""
        pid, was_ready = slot.pid, slot.ready
        slot.pid, slot.ready = 0, False
        self._loads.tell(slot.number, NOBODY)
        if slot.report >= 0:
            self._selector.unregister(slot.report)
            os.close(slot.report)
            slot.report = -1
        if self._stopping:
            return
        now = time.monotonic()
        slot.restarts += 1
        self._meters.add(RESTARTS)
        if slot.leaving:
            slot.next_start = now
            return
        if self._on_ready is not None:
            raise Stop(slot.fault or f"worker {slot.number} {_how(code)} before it was ready; its messages are above")
        slot.deaths = 1 if was_ready and now - slot.started > STEADY_SECONDS else slot.deaths + 1
        wait = min(LONGEST_BACK_OFF, FIRST_BACK_OFF * 2.0 ** min(slot.deaths - 1, 10))
        slot.next_start = now + wait
        reason = f": {slot.fault}" if slot.fault else ""
        _log.warning(
            "worker %d (process %d) %s%s; a new one starts in %.1f s", slot.number, pid, _how(code), reason, wait,
            extra={"event": "worker_ended"},
        )  # fmt: skip

    # Stopping and reloading

    def _act_on_signals(self) -> None:
        signals, self._signals = self._signals, []
        for number in signals:
            if number == signal.SIGHUP:
                self._reload({})
            elif number in {signal.SIGTERM, signal.SIGINT}:
                if self._stopping:
                    self._kill_all()  # asked twice: at once
                else:
                    self._stop()

    def _stop(self) -> None:
        """Say that this host stops; what asks whether it is ready hears it before anything closes."""
        _log.info("the gateway was asked to stop", extra={"event": "stopping"})
        self._stopping = True
        self._meters.set(STOPPING, 1.0)
        self._stop_at = time.monotonic() + self._config.unready_seconds

    def _told_to_stop(self) -> bool:
        return bool(self._meters.numbers[self._meters.at(STOPPING)])

    def _end(self) -> None:
        self._stop_at = float("inf")
        self._kill_at = time.monotonic() + self._config.limits.drain_seconds + _KILL_AFTER
        self._listener.close()  # or clients would queue for workers that accept no more
        for slot in self._slots:
            _kill(slot, signal.SIGTERM)

    def _kill_all(self) -> None:
        for slot in self._slots:
            _kill(slot, signal.SIGKILL)
            if slot.pid:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(slot.pid, 0)
                slot.pid = 0

    def _patience(self) -> float | None:
        """Seconds until something is due; None while only a signal or a message can change anything."""
        due = [self._stop_at, self._kill_at]
        due += [slot.next_start for slot in self._slots if not slot.pid and not self._stopping]
        due += [slot.started + START_SECONDS + 0.1 for slot in self._slots if slot.pid and not slot.ready]
        soonest = min(due)
        return None if soonest == float("inf") else max(0.0, soonest - time.monotonic())

    # What the control socket can ask

    def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        now = time.monotonic()
        return {
            "pid": os.getpid(),
            "stopping": self._stopping,
            "workers": [
                {
                    "slot": slot.number,
                    "pid": slot.pid,
                    "boot_id": slot.boot_id,
                    "ready": slot.ready,
                    "restarts": slot.restarts,
                    "seconds": round(now - slot.started, 1),
                }
                for slot in self._slots
            ],
        }

    def _reload(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace the workers one after the other; each reads certificates and keys anew."""
        _log.info("each worker is replaced, one after the other", extra={"event": "reloading"})
        self._to_replace = list(reversed(self._slots))
        return {"replacing": len(self._to_replace)}


def _kill(slot: Slot, number: int) -> None:
    if slot.pid:
        os.kill(slot.pid, number)


def _how(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
