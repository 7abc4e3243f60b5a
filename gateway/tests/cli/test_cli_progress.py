"""Progress: on a terminal only, and gone when the work is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wardgate.cli import progress, terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stderr is a terminal, stdout is not."""
    monkeypatch.setattr(terminal, "somebody_watches", lambda: True)


def seconds() -> Iterator[float]:
    """A clock on which each look takes a second."""
    now = 0.0
    while True:
        yield now
        now += 1.0


def worked(capsys: pytest.CaptureFixture[str], **how: object) -> str:
    """What was shown while something was done thrice."""
    clock = seconds()
    with progress.shown("Doing", now=lambda: next(clock), **how) as tick:  # type: ignore[arg-type]
        for _ in range(3):
            tick(700_000)
    return capsys.readouterr().err


def test_nothing_is_shown_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a byte."""
    assert "" == worked(capsys, unit="B")


@pytest.mark.usefixtures("screen")
@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ({"unit": "B", "total": 2_100_000}, ["683.6 KiB, 33 %", "1.3 MiB, 66 %", "2.0 MiB, 99 %"]),
        ({"unit": "names"}, ["700,000 names", "1,400,000 names", "2,100,000 names"]),
        ({"unit": "B", "total": 1}, ["683.6 KiB, 99 %", "1.3 MiB, 99 %", "2.0 MiB, 99 %"]),
    ],
)
def test_one_line_is_written_over_and_over(
    capsys: pytest.CaptureFixture[str], how: dict[str, object], shown: list[str]
) -> None:
    """And taken away at the end; a share never reaches the whole before the work does."""
    clear = "\r\x1b[K"
    assert "".join(f"{clear}Doing … {text}" for text in shown) + clear == worked(capsys, **how)


@pytest.mark.usefixtures("screen")
def test_what_is_printed_meanwhile_is_not_disturbed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one and the same screen the names themselves show how far it has come."""
    monkeypatch.setattr(terminal, "somebody_reads", lambda: True)
    assert "" == worked(capsys, unit="names", aside=False)
