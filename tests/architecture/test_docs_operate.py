"""What an operator can see is on its page: every metric, attribute of a span and event of the log, none that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from wardgate.telemetry import logs
from wardgate.telemetry.metrics import METRICS
from wardgate.telemetry.traces import ATTRIBUTES

from tests.architecture.test_docs import ROOT, rows, section


def test_operate_has_a_row_for_each_metric() -> None:
    """Kind, labels and help are those of the declaration."""
    declared = [[one.name, one.kind, ", ".join(f"`{label}`" for label in one.labels), one.help] for one in METRICS]
    assert declared == rows(section("operate", "Metrics"))


def test_operate_has_a_row_for_each_attribute_of_a_span() -> None:
    """Nothing else is in one."""
    assert list(ATTRIBUTES) == [name for name, _ in rows(section("operate", "Traces"))]


def test_operate_has_a_row_for_each_event_of_the_log() -> None:
    """With its level; whatever the gateway logs says which event it is."""
    logged = dict(event for source in ROOT.glob("gateway/wardgate/**/*.py") for event in events_of(source))
    assert logged | {logs.FOREIGN: "any"} == {name: level for name, level, _ in rows(section("operate", "Log"))}


def events_of(source: Path) -> Iterator[tuple[str, str]]:
    """The event and the level of each call of a logger in a file."""
    text = source.read_text()
    for call in ast.walk(ast.parse(text)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        logger = ast.unparse(call.func.value)
        if call.func.attr not in LEVELS or not (logger == "_log" or logger.startswith("logging.getLogger")):
            continue
        found = re.search(r'"event": "(\w+)"', ast.get_source_segment(text, call) or "")
        before = text.splitlines()[: call.lineno]
        near = found or re.search(r'told = \{"event": "(\w+)"', "\n".join(before[-6:]))
        assert near or "DEFECT" in ast.unparse(call), f"{source}:{call.lineno} does not say which event it logs"
        yield near[1] if near else logs.DEFECT, LEVELS[call.func.attr]


LEVELS = {
    "debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error",
    "critical": "critical",
}  # fmt: skip
