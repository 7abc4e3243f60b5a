"""Following the audit: every record once and in order, over rotations and boots, and what does not hold is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from click.testing import CliRunner, Result
from wardgate.cli.root import wardgate
from wardgate.pipeline.audit import Journal
from wardgate.pipeline.audit.tail import Seen, Tail
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path

from tests.support.audit_settings import kept

OTHER = Path(("secret", "teams", "db"))
ONE_FILE = kept(reserve_bytes=4_096, patience=5)


def reads(audited: Any, times: int, path: Path | None = None) -> Callable[[Journal], Awaitable[None]]:
    """So many reads, each recorded; a file holds about two."""

    async def work(journal: Journal) -> None:
        for _ in range(times):
            operation = ReadSecret(path=path or audited.path)
            await journal.closing(audited.context(operation), "ok", audited.answer)

    return work


def numbers(seen: list[Seen]) -> list[int]:
    """Their places in the chain."""
    return [one.record.sequence for one in seen if one.record is not None]


def run(folder: FilePath, *arguments: str) -> Result:
    """The command, without following."""
    return CliRunner().invoke(wardgate, ["audit", "tail", str(folder), "--no-follow", *arguments])


def test_every_record_is_seen_once_over_rotations_and_boots(audited: Any) -> None:
    """Looked for now and then while files turn, and a worker starts anew."""
    tail: list[Tail] = []
    seen: list[Seen] = []

    async def work(journal: Journal) -> None:
        for _ in range(10):
            await reads(audited, 3)(journal)
            tail.extend([] if tail else [Tail(audited.folder)])
            seen.extend(tail[0].new())

    for _ in range(3):
        asyncio.run(audited.run(work))
    assert len(audited.files()) > 5
    found = numbers(seen)
    last = audited.lines()[-1]["sequence"]
    assert list(range(found[0], last + 1)) == found
    assert [] == list(tail[0].new())


def test_it_begins_with_the_newest_file(audited: Any) -> None:
    """The records before are for ``verify``."""
    asyncio.run(audited.run(reads(audited, 30)))
    newest = [json.loads(line) for line in audited.files()[-1].read_text().splitlines()]
    assert [record["sequence"] for record in newest] == numbers(list(Tail(audited.folder).new()))


def test_a_half_written_line_waits_for_its_end(audited: Any) -> None:
    """It is no fault, and no record yet."""
    asyncio.run(audited.run(reads(audited, 1)))
    (file,) = audited.files()
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    tail = Tail(audited.folder)
    before = list(tail.new())
    file.write_bytes(whole)
    assert ([1, 2], [3]) == (numbers(before), numbers(list(tail.new())))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace(b"192.0.2.1", b"192.0.2.9", 1), "does not match its hash"),
        (lambda text: b"".join(text.splitlines(keepends=True)[:2] + text.splitlines(keepends=True)[3:]), "sequence"),
        (lambda text: text.replace(b'"number":1', b'"number":2'), "is not the first record of file 1"),
        (lambda text: text + b"not a record\n", "is not a record of this format"),
    ],
)
def test_a_record_that_does_not_hold_ends_it(audited: Any, spoil: Callable[[bytes], bytes], says: str) -> None:
    """Named with its file and line, on stderr, with exit code 1."""
    asyncio.run(audited.run(reads(audited, 2)))
    (file,) = audited.files()
    file.write_bytes(spoil(file.read_bytes()))
    result = run(audited.folder)
    assert (1, True) == (result.exit_code, says in result.stderr), result.stderr
    assert f"BROKEN: {file.name}, line " in result.stderr


def test_a_file_that_does_not_link_to_the_one_before_is_named(audited: Any) -> None:
    """A rotation is checked too."""
    asyncio.run(audited.run(reads(audited, 1)))
    tail = Tail(audited.folder)
    list(tail.new())
    asyncio.run(audited.run(reads(audited, 10)))
    second = audited.files()[1]
    second.write_bytes(second.read_bytes().replace(b'"previous":"', b'"previous":"0', 1))
    (wrong,) = [seen for seen in tail.new() if seen.record is None]
    assert wrong.wrong == "does not link to the record before it"


def test_a_file_that_vanished_is_named(audited: Any) -> None:
    """What was in it cannot be shown or checked."""
    asyncio.run(audited.run(reads(audited, 1)))
    tail = Tail(audited.folder)
    list(tail.new())
    asyncio.run(audited.run(reads(audited, 20)))
    audited.files()[1].unlink()
    wrong = [seen for seen in tail.new() if seen.record is None]
    assert ["was removed before it was read"] == [seen.wrong for seen in wrong]


def test_the_lines_are_for_people_or_machines(audited: Any) -> None:
    """When, how it ended, what, where, who, from where; or the record as it stands in the file."""
    asyncio.run(audited.run(reads(audited, 1)))
    _, *words = run(audited.folder, "-n", "1").stdout.strip().split("  ")
    assert ["ok", "ReadSecret", "secret/team/db", "by billing", "from 192.0.2.1"] == [
        word.strip() for word in words if word.strip()
    ]
    (line,) = audited.files()[0].read_text().splitlines()[-1:]
    assert line + "\n" == run(audited.folder, "-n", "1", "--json").stdout


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], 5),
        (["--path", "secret/team"], 2),
        (["--path", "secret/team/db", "--path", "secret/teams"], 3),
        (["--path", "secret/tea"], 0),
        (["--principal", "billing"], 3),
        (["--principal", "p-1"], 3),
        (["--principal", "other"], 0),
        (["--code", "ok"], 3),
        (["--code", "permission_denied"], 0),
        (["--operation", "readsecret"], 3),
        (["--operation", "ListSecrets"], 0),
        (["--operation", "ReadSecret", "--path", "secret/teams"], 1),
        (["-n", "2"], 2),
        (["-n", "0"], 0),
    ],
)
def test_filters_choose_what_is_shown(audited: Any, arguments: list[str], shown: int) -> None:
    """Values of one filter are alternatives, filters add up; a folder's name is no prefix of a longer name."""

    async def work(journal: Journal) -> None:
        await reads(audited, 2)(journal)
        await reads(audited, 1, OTHER)(journal)

    asyncio.run(audited.run(work, ONE_FILE))
    assert shown == len(run(audited.folder, *arguments).stdout.splitlines())


def test_it_follows_until_it_is_stopped(audited: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is how it ends, and no failure; between two looks it waits."""
    asyncio.run(audited.run(reads(audited, 1)))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt
        asyncio.run(audited.run(reads(audited, 4)))

    monkeypatch.setattr("wardgate.cli.audit.time.sleep", wait)
    result = CliRunner().invoke(wardgate, ["audit", "tail", str(audited.folder), "--code", "ok"])
    assert (0, 9, 3) == (result.exit_code, len(result.stdout.splitlines()), len(waits))


def test_nothing_to_follow_is_said(tmp_path: FilePath) -> None:
    """A folder that is not there is most likely a wrong name."""
    result = run(tmp_path / "nowhere")
    assert (2, True) == (result.exit_code, "nowhere cannot be read" in result.stderr)
    assert 2 == CliRunner().invoke(wardgate, ["audit", "tail"]).exit_code
    result = run(tmp_path)
    assert (3, f"There is no audit in {tmp_path}.\n") == (result.exit_code, result.stderr)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--operation", "ReadSecrt"], "there is no operation 'ReadSecrt'; did you mean 'ReadSecret"),
        (["--code", "permision_denied"], "there is no code 'permision_denied'; did you mean 'permission_denied'?"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_refused(audited: Any, arguments: list[str], says: str) -> None:
    """A slip of the pen would else look as if nothing happened."""
    asyncio.run(audited.run(reads(audited, 1)))
    result = run(audited.folder, *arguments)
    assert (2, True) == (result.exit_code, says in result.stderr)
