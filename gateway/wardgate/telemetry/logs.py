"""Logs: one line an event on the standard error, as text or JSON, and nothing in it that came from outside.

Who logs says which event it is: ``_log.warning("…", extra={"event": "worker_ended"})``, and of which request where
there is one. Messages are our own sentences. What a library logs may hold what it worked on, as may the text of any
exception: of those a line tells where and of what type, never what they say.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, Final

from wardgate.config import Log

LEVELS: Final = {
    "debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR,
}  # fmt: skip
LONGEST: Final = 4_000
"""Characters of a message."""

FOREIGN: Final = "library"
"""The event of a line that no part of the gateway wrote."""

DEFECT: Final = "defect"
"""The event of an exception that nothing caught."""

REPEATED: Final = frozenset({"state_tampered"})
"""Events that every request can cause anew, for as long as nobody mends what they tell of."""

WINDOW: Final = 60.0
"""Seconds in which such a line is written once."""

MOST_TOLD: Final = 100
"""Different lines of them in that time; one more says that others are left out."""

_FRAMES = 4
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def configure(log: Log, *, worker: int | None = None) -> None:
    """Have everything that this process logs written as configured. Call it again after a fork."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(worker) if log.format == "json" else TextLines(worker))
    # A library's talk is of no use without its words, and some set levels of their own: the handler leaves it out.
    least = logging.WARNING if log.level == "debug" else logging.ERROR
    handler.addFilter(lambda record: _event(record) is not None or record.levelno >= least)
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("wardgate").setLevel(LEVELS[log.level])
    logging.raiseExceptions = False  # it would print what could not be formatted
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    sys.unraisablehook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def facts_of(record: logging.LogRecord, worker: int | None) -> dict[str, Any]:
    """What a line says, in its order."""
    event = _event(record)
    time = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="microseconds")
    facts: dict[str, Any] = {
        "time": time.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "worker": worker,
        "event": event or FOREIGN,
        "request": getattr(record, "request", None),
        "message": record.getMessage() if event else f"{record.name} says something at {_short(record)}",
    }
    if record.exc_info and record.exc_info[0]:
        facts["error"] = record.exc_info[0].__name__
        facts["at"] = place_of(record.exc_info[2])
    return {
        name: _safe(value) if isinstance(value, str) else value for name, value in facts.items() if value is not None
    }


def place_of(trace: TracebackType | None) -> str:
    """Where it was raised, innermost first, without any text of it."""
    frames = reversed(traceback.extract_tb(trace)[-_FRAMES:])
    return " < ".join(f"{frame.filename}:{frame.lineno}" for frame in frames)


class Repeats:
    """Lets a line about the same thing pass once a minute, and so many about different things: no caller fills a disk.

    A filter; time is the records' own.
    """

    def __init__(self) -> None:
        self._since = 0.0
        self._told = set[str]()

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether it is written; the one too many becomes the line that says so."""
        if _event(record) not in REPEATED:
            return True
        if not 0 <= record.created - self._since < WINDOW:
            self._since, self._told = record.created, set()
        message = record.getMessage()
        if message in self._told or len(self._told) > MOST_TOLD:
            return False
        self._told.add(message)
        if len(self._told) > MOST_TOLD:
            record.msg, record.args = "more of this kind; they are told again in a minute", None
        return True


class JsonLines(logging.Formatter):
    """Each event as one JSON object."""

    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return json.dumps(facts_of(record, self._worker), ensure_ascii=False)


class TextLines(logging.Formatter):
    """Each event as one line to read."""

    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        facts = facts_of(record, self._worker)
        first = f"{facts.pop('time')} {facts.pop('level'):7} {facts.pop('event')}: {facts.pop('message')}"
        return " ".join([first, *(f"{name}={value}" for name, value in facts.items())])


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    told = (kind, error or kind(), trace)
    logging.getLogger(__name__).error(
        "something failed that nothing waited for", exc_info=told, extra={"event": DEFECT}
    )


def _event(record: logging.LogRecord) -> str | None:
    return getattr(record, "event", None)


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text[:LONGEST])


def _short(record: logging.LogRecord) -> str:
    return f"{record.module}:{record.lineno}"
