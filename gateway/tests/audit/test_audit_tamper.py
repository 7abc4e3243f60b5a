"""Tampering shows: whatever is edited, swapped, dropped, doubled or truncated, verify finds it and says where."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.pipeline.audit import Journal, Report, verify

Lines = list[list[bytes]]
"""The lines of each file."""


@pytest.fixture
def original(audited: Any) -> Lines:
    """Two boots over several files, with reads and changes."""

    async def work(journal: Journal) -> None:
        for _ in range(6):
            await journal.closing(audited.context(), "ok")
            change = audited.write()
            await journal.request(change)
            await journal.closing(change, "ok")

    for _ in range(2):
        asyncio.run(audited.run(work))
    files = [file.read_bytes().splitlines(keepends=True) for file in audited.files()]
    assert len(files) > 3
    assert verify(audited.folder).ok
    return files


def edit(data: st.DataObject, files: Lines) -> None:
    """Change one byte of one line to another."""
    lines = data.draw(st.sampled_from(files))
    number = data.draw(st.integers(0, len(lines) - 1))
    line = bytearray(lines[number])
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    lines[number] = bytes(line)


def swap(data: st.DataObject, files: Lines) -> None:
    """Exchange two lines, of the same file or of two."""
    places = [(file, number) for file, lines in enumerate(files) for number in range(len(lines))]
    (a, i), (b, j) = data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True))
    files[a][i], files[b][j] = files[b][j], files[a][i]


def drop(data: st.DataObject, files: Lines) -> None:
    """Take away a run of lines that is not the very end."""
    places = [(file, number) for file, lines in enumerate(files) for number in range(len(lines))][:-1]
    file, start = data.draw(st.sampled_from(places))
    end = data.draw(st.integers(start + 1, len(files[file]) - (file == len(files) - 1)))
    del files[file][start:end]


def double(data: st.DataObject, files: Lines) -> None:
    """Say a line again somewhere."""
    line = data.draw(st.sampled_from([line for lines in files for line in lines]))
    target = data.draw(st.sampled_from(files))
    target.insert(data.draw(st.integers(0, len(target))), line)


def truncate(data: st.DataObject, files: Lines) -> None:
    """Cut a file that is not the last, anywhere."""
    lines = data.draw(st.sampled_from(files[:-1]))
    text = b"".join(lines)
    lines[:] = [text[: data.draw(st.integers(0, len(text) - 1))]]


def report_of(folder: FilePath, files: Lines, *, without: int | None = None) -> Report:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, lines in enumerate(files, start=1):
        if number != without:
            (folder / f"shard-0-{number:06d}.jsonl").write_bytes(b"".join(lines))
    return verify(folder)


@pytest.mark.parametrize("tamper", [edit, swap, drop, double, truncate])
def test_tampering_is_found(
    original: Lines, tmp_path: FilePath, tamper: Callable[[st.DataObject, Lines], None]
) -> None:
    """100 % of the tries, each with the file and the line of the first record that does not hold."""

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.data())
    def tries(data: st.DataObject) -> None:
        files = [list(lines) for lines in original]
        tamper(data, files)
        shard = report_of(tmp_path / "tampered", files).shards[0]
        assert shard.bad is not None
        assert shard.bad.file.startswith("shard-0-")
        if tamper is edit:
            changed = next(
                (f, n) for f, lines in enumerate(files) for n in range(len(lines)) if lines[n] != original[f][n]
            )
            assert (f"shard-0-{changed[0] + 1:06d}.jsonl", changed[1] + 1) == (shard.bad.file, shard.bad.line)

    tries()


def test_a_missing_file_is_found(original: Lines, tmp_path: FilePath) -> None:
    """Any but the last, and it is named."""
    for number in range(1, len(original)):
        bad = report_of(tmp_path / "tampered", original, without=number).shards[0].bad
        assert bad is not None
        assert f"shard-0-{number:06d}.jsonl" == bad.file


def test_a_chain_alone_cannot_show_a_missing_tail(original: Lines, tmp_path: FilePath) -> None:
    """The stated limit, and the control of this file: what ends with a whole record verifies."""
    assert report_of(tmp_path / "tampered", original[:-1]).ok
