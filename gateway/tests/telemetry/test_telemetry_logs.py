"""Log lines: one an event, our own words alone, whatever is logged and however it is formatted."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.config import Log
from wardgate.telemetry import logs

CANARY = "canary-7f3a91c2"
OURS = logging.getLogger("wardgate.tests")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What went to the standard error; the process's logging is put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("wardgate")
    handlers, levels, raising = root.handlers[:], (root.level, ours.level), logging.raiseExceptions
    hooks = threading.excepthook, sys.unraisablehook
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.raiseExceptions = raising
    threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)


def parsed(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_of_json_says_what_there_is_to_say(written: Callable[[], str]) -> None:
    """Time, level, worker, event, request and message, in that order."""
    logs.configure(Log(format="json"), worker=3)
    OURS.warning("worker %d ended", 7, extra={"event": "worker_ended", "request": "r-1"})
    (line,) = parsed(written())
    assert ["time", "level", "worker", "event", "request", "message"] == list(line)
    assert line["time"].endswith("Z")
    assert ("warning", 3, "worker_ended", "r-1", "worker 7 ended") == tuple(line.values())[1:]


def test_a_line_of_text_reads_from_left_to_right(written: Callable[[], str]) -> None:
    """Time, level, event, message; then what more is known."""
    logs.configure(Log(), worker=3)
    OURS.warning("it ended", extra={"event": "worker_ended", "request": "r-1"})
    _, _, rest = written().partition("Z ")
    assert "warning worker_ended: it ended worker=3 request=r-1\n" == rest


@given(text=st.text(min_size=1))
def test_a_message_cannot_begin_a_line_of_its_own(text: str) -> None:
    """Neither with a line's end nor with any other control character."""
    record = logging.LogRecord("wardgate.x", logging.ERROR, __file__, 1, "%s", (text,), None)
    record.event = "policies_invalid"
    for formatter in (logs.TextLines(0), logs.JsonLines(0)):
        line = formatter.format(record)
        assert 1 == len(line.splitlines())
        line.encode()


def fail() -> None:
    raise ValueError(CANARY)


def test_a_library_s_words_stay_out(written: Callable[[], str]) -> None:
    """Nor what it was formatted with, nor the text of an exception; only who, where and of what type."""
    logs.configure(Log(format="json", level="debug"))
    try:
        fail()
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed: %s", CANARY)
        OURS.exception("the committer failed", extra={"event": "audit_failed"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, stacklevel=1)
    text = written()
    assert CANARY not in text
    library, ours, warning = parsed(text)
    assert ("library", "ValueError") == (library["event"], library["error"])
    assert "asyncio" in library["message"]
    assert "test_telemetry_logs.py" in ours["at"]
    assert "library" == warning["event"]


def test_what_nobody_caught_is_told_without_its_text(written: Callable[[], str]) -> None:
    """Of a thread, and of what Python itself could only report."""
    logs.configure(Log(format="json"))
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    text = written()
    (line,) = parsed(text)
    assert ("defect", "ValueError") == (line["event"], line["error"])
    assert CANARY not in text


def test_a_line_that_cannot_be_formatted_is_dropped_in_silence(written: Callable[[], str]) -> None:
    """The logging library would print its arguments."""
    logs.configure(Log(format="json"))
    OURS.error("%d", CANARY, extra={"event": "x"})
    assert "" == written()


def test_below_the_level_nothing_is_written_and_libraries_are_never_chatty(written: Callable[[], str]) -> None:
    """Debug and information of a library is of no use without its words."""
    logs.configure(Log(level="debug"))
    logging.getLogger("alembic").info("x")
    OURS.debug("a", extra={"event": "x"})
    logs.configure(Log(level="error"))
    OURS.warning("b", extra={"event": "x"})
    assert 1 == len(written().splitlines())


def test_a_library_that_sets_its_own_level_is_left_out_all_the_same(
    written: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vendors' SDKs warn of each way to log in that gave nothing; who looks for it sets ``debug``, errors stay."""
    vendor = logging.getLogger("vendor.credentials")
    monkeypatch.setattr(vendor, "level", logging.INFO)
    for level, said in (("info", ["error"]), ("warning", ["error"]), ("debug", ["warning", "error"])):
        logs.configure(Log(format="json", level=level))
        for say in (vendor.info, vendor.warning, vendor.error):
            say(CANARY)
        assert said == [line["level"] for line in parsed(written())]


def test_a_message_is_bounded(written: Callable[[], str]) -> None:
    """However long what it names."""
    logs.configure(Log())
    OURS.error("%s", "x" * 100_000, extra={"event": "x"})
    assert len(written()) < 5_000


def tampered(number: int, *, at: float) -> logging.LogRecord:
    told = {"msg": "row %d was changed", "args": (number,), "event": "state_tampered", "created": at}
    return logging.makeLogRecord(told)


def test_what_every_read_would_tell_again_is_told_once_a_minute() -> None:
    """By object: others are not hidden by it; a clock that is put back begins anew."""
    passes = logs.Repeats()
    times = (1_000.0, 1_000.1, 1_059.9, 1_060.0, 1_060.1, 10.0)
    assert [True, False, False, True, False, True] == [passes(tampered(1, at=at)) for at in times]
    assert [True, False] == [passes(tampered(2, at=10.0)) for _ in range(2)]


def test_many_such_lines_are_bounded_too() -> None:
    """Whoever changed everything does not fill the log; that something is left out is said, once."""
    passes = logs.Repeats()
    records = [tampered(number, at=1_000.0) for number in range(1_000)]
    written = [record.getMessage() for record in records if passes(record)]
    assert logs.MOST_TOLD + 1 == len(written)
    assert ["row 99 was changed", "more of this kind; they are told again in a minute"] == written[-2:]
    assert passes(tampered(5_000, at=1_060.0))


def test_other_events_are_told_each_time(written: Callable[[], str]) -> None:
    """As they happened; and the rule holds in the log as it is configured."""
    logs.configure(Log(format="json"))
    for event in ("worker_ended", "state_tampered"):
        for _ in range(3):
            OURS.error("the same", extra={"event": event})
    assert ["worker_ended"] * 3 + ["state_tampered"] == [line["event"] for line in parsed(written())]
