"""``get``, ``put``, ``list`` and the life of versions: what is asked, what is printed, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from click.testing import Result
from wardgate.cli import terminal
from wardgate.spi.errors import CLOSED_LIST, WardgateError
from wardgate.spi.frontend import Freshness
from wardgate.spi.identity import Credential
from wardgate.spi.operations.mounts import ListVisibleMounts
from wardgate.spi.operations.secrets import (
    Absent,
    DeleteSecret,
    DescribeSecret,
    DestroySecret,
    ListSecrets,
    Ordinal,
    ReadSecret,
    UndeleteSecret,
    VersionId,
    WriteSecret,
)
from wardgate.spi.path import Path
from wardgate.spi.values import BYTES, JSON, TEXT, Entry, Page, SecretInfo, SecretVersion, Value, VersionInfo

from tests.support.scripted import Scripted

Run = Callable[..., Result]
TOKEN = "wg_canary-token-5d1e"
CANARY = "canary-value-91bc"
PATH = Path(("secret", "app"))
INFO = VersionInfo(id="3", ordinal=3)


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits at the terminal."""
    monkeypatch.setattr(terminal, "somebody_is_there", lambda: True)


@pytest.mark.parametrize("data", [b"plain", b"\x00\xff\n", b'{ "a": 1 }', b""])
def test_get_into_a_pipe_is_the_bytes_exactly(gateway: Scripted, run: Run, data: bytes) -> None:
    """Nothing is added and nothing re-encoded."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(data))
    result = run("get", "secret/app")
    assert (0, data) == (result.exit_code, result.stdout_bytes)
    assert gateway.asked == [ReadSecret(path=PATH)]
    assert gateway.credentials == [Credential("token", TOKEN)]


@pytest.mark.parametrize(("field", "expected"), [("a", b"x\n"), ("n", b"1.50"), ("o", b'{"k": null}')])
def test_get_field_is_that_field_alone(gateway: Scripted, run: Run, field: str, expected: bytes) -> None:
    """Text as it is, anything else as JSON; no line break is added into a pipe."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b'{"a": "x\\n", "n": 1.50, "o": {"k": null}}', JSON))
    assert run("get", "secret/app", "--field", field).stdout_bytes == expected.replace(b"1.50", b"1.5")


def test_get_a_field_that_is_not_there(gateway: Scripted, run: Run) -> None:
    """Not found, and the names of the other fields are not told."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b'{"other": "x"}', JSON))
    result = run("get", "secret/app", "--field", "a")
    assert (3, "") == (result.exit_code, result.stdout)
    assert "other" not in result.stderr


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Value(b'{"a": 1}', JSON), {"media_type": JSON, "value": {"a": 1}}),
        (Value(b"[1]", JSON), {"media_type": JSON, "value": [1]}),
        (Value(b"[1]", TEXT), {"media_type": TEXT, "value": "[1]"}),
        (Value(b"\xff", BYTES), {"media_type": BYTES, "value_base64": "/w=="}),
    ],
)
def test_get_json_holds_the_value_and_its_version(
    gateway: Scripted, run: Run, value: Value, shown: dict[str, Any]
) -> None:
    """Whatever the value is, it is told apart and complete."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, value)
    answer = json.loads(run("get", "secret/app", "--version", "3", "--json").stdout)
    assert answer == {
        "path": "secret/app", "version": 3, "etag": '"3"', "created_at": "1970-01-01T00:00:00.000000Z", **shown,
    }  # fmt: skip
    assert gateway.asked == [ReadSecret(path=PATH, version=Ordinal(3))]


@pytest.mark.parametrize(
    ("value", "shown", "hidden"),
    [
        (Value(b'{"user": "[bold]app", "n": [1, 2]}', JSON), ["Field", "user", "[bold]app", "[1, 2]"], []),
        (Value(b'{"a": "\\u001b[2J"}', JSON), ["\\x1b[2J"], ["\x1b[2J"]),
        (Value("grün\x1b[2J".encode(), TEXT), ["grün\\x1b[2J"], ["\x1b[2J"]),
        (Value(b"\x00\xff", BYTES), ["2 bytes that are not text"], ["\x00"]),
    ],
)
def test_get_on_a_screen_is_for_people(
    gateway: Scripted, run: Run, monkeypatch: pytest.MonkeyPatch, value: Value, shown: list[str], hidden: list[str]
) -> None:
    """Fields are a table, markup is letters, and nothing steers the terminal."""
    monkeypatch.setattr(terminal, "somebody_reads", lambda: True)
    gateway.answers[ReadSecret] = SecretVersion(INFO, value)
    printed = run("get", "secret/app").stdout
    assert [text for text in shown if text not in printed] + [text for text in hidden if text in printed] == []


def test_get_warns_of_an_old_answer(gateway: Scripted, run: Run) -> None:
    """On stderr: the value stays the value."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"x"))
    gateway.freshness = Freshness(61.5, stale=True)
    gateway.warnings = ("take care",)
    try:
        result = run("get", "secret/app")
    finally:
        gateway.freshness, gateway.warnings = None, ()
    assert result.stdout == "x"
    assert "take care" in result.stderr
    assert "61 seconds ago" in result.stderr


def test_get_info_shows_versions_without_values(gateway: Scripted, run: Run) -> None:
    """A line a version."""
    gateway.answers[DescribeSecret] = SecretInfo(INFO, (INFO,), 0, 0, {"team": "a"})
    assert run("get", "secret/app", "--info").stdout.splitlines() == [
        "3\tlive\t1970-01-01T00:00:00.000000Z\t\t\t3",
        "label team=a",
    ]


@pytest.mark.parametrize(
    ("arguments", "stdin", "data", "media_type"),
    [
        (["-"], b"text\n", b"text\n", TEXT),
        (["-"], b'{"a": 1}', b'{"a": 1}', JSON),
        (["-"], b"\xff", b"\xff", BYTES),
        (["-", "--type", "bytes"], b"text", b"text", BYTES),
        (["a=-"], b"x\n", b'{"a":"x"}', JSON),
        (["a=-"], b"x\r\n", b'{"a":"x"}', JSON),
        (["a=-", "--plain", "user=app=1"], "ü".encode(), '{"a":"ü","user":"app=1"}'.encode(), JSON),
    ],
)
def test_put_takes_values_from_stdin(
    gateway: Scripted, run: Run, arguments: list[str], stdin: bytes, data: bytes, media_type: str
) -> None:
    """A whole value exactly, a field without its final line break; the media type is guessed or said."""
    gateway.answers[WriteSecret] = INFO
    result = run("put", "secret/app", *arguments, input=stdin)
    assert (0, "Stored version 3 of secret/app.\n") == (result.exit_code, result.stderr)
    asked = gateway.asked[0]
    assert isinstance(asked, WriteSecret)
    assert (data, media_type) == (asked.value.data, asked.value.media_type)


@pytest.mark.parametrize("arguments", [["-"], ["a=-"]])
def test_put_stores_nothing_from_an_empty_stdin(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """A command before the pipe that failed must not replace a secret by nothing."""
    result = run("put", "secret/app", *arguments, input=b"")
    assert result.exit_code == 2
    assert "stdin is empty" in result.stderr
    assert [] == gateway.asked


def test_put_takes_values_from_files(gateway: Scripted, run: Run, tmp_path: FilePath) -> None:
    """Exactly, as a whole or as a field."""
    gateway.answers[WriteSecret] = INFO
    file = tmp_path / "value"
    file.write_bytes(b"x\n")
    run("put", "secret/app", "--file", str(file))
    run("put", "secret/app", f"a=@{file}")
    values = [asked.value.data for asked in gateway.asked if isinstance(asked, WriteSecret)]
    assert values == [b"x\n", b'{"a":"x\\n"}']


@pytest.mark.usefixtures("somebody")
def test_put_asks_a_person_without_showing(gateway: Scripted, run: Run) -> None:
    """Twice, hidden."""
    gateway.answers[WriteSecret] = INFO
    result = run("put", "secret/app", input=f"{CANARY}\n{CANARY}\n".encode())
    assert result.exit_code == 0
    assert CANARY not in result.output
    asked = gateway.asked[0]
    assert isinstance(asked, WriteSecret)
    assert asked.value.data == CANARY.encode()


@pytest.mark.parametrize(
    ("option", "expect"),
    [(["--create"], Absent()), (["--expect", "3"], VersionId("3")), (["--expect", '"a%22b"'], VersionId('a"b'))],
)
def test_put_can_compare_and_set(gateway: Scripted, run: Run, option: list[str], expect: object) -> None:
    """On absence, or on a version's id or ETag."""
    gateway.answers[WriteSecret] = INFO
    run("put", "secret/app", "-", *option, input=b"x")
    asked = gateway.asked[0]
    assert isinstance(asked, WriteSecret)
    assert asked.expect == expect


@pytest.mark.parametrize(
    "arguments",
    [
        [f"password={CANARY}"],
        [f"password={CANARY}", "--json"],
        ["password=", "--plain", "a=b"],
        [CANARY],
        ["a=-", "b=-"],
        ["a=-", "--plain", "a=x"],
        ["a=@/nowhere/at/all"],
        ["--file", "/nowhere/at/all"],
        ["-", "--file", "/nowhere/at/all"],
        ["a=-", "--type", "text"],
        ["-", "--create", "--expect", "3"],
        [],
    ],
)
def test_put_refuses_what_is_unsafe_or_unclear(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """A usage error, nothing sent, and the value not repeated."""
    result = run("put", "secret/app", *arguments, input=b"x")
    assert (2, "", []) == (result.exit_code, result.stdout, gateway.asked)
    assert CANARY not in result.stderr


def test_list_reads_every_page(gateway: Scripted, run: Run) -> None:
    """Folders end in a slash; a page's cursor leads to the next."""
    pages = iter([Page((Entry("a"), Entry("a", folder=True)), "next"), Page((Entry("\x1b[2J"),))])
    gateway.answers[ListSecrets] = lambda: next(pages)
    assert run("list", "secret/").stdout.splitlines() == ["a", "a/", "\\x1b[2J"]
    assert gateway.asked == [
        ListSecrets(path=Path(("secret",))),
        ListSecrets(path=Path(("secret",)), cursor="next"),
    ]


def test_list_without_a_path_shows_the_mounts(gateway: Scripted, run: Run) -> None:
    """Those one may see; none is said on stderr, so that a pipe stays empty."""
    gateway.answers[ListVisibleMounts] = ()
    result = run("list")
    assert (0, "", "There is nothing here that you may see.\n") == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["delete", "secret/app", "--yes"], DeleteSecret(path=PATH)),
        (["delete", "secret/app", "--version", "2", "--yes"], DeleteSecret(path=PATH, versions=(Ordinal(2),))),
        (
            ["undelete", "secret/app", "--version", "1", "--version", "2"],
            UndeleteSecret(path=PATH, versions=(Ordinal(1), Ordinal(2))),
        ),
        (["destroy", "secret/app", "--version", "1", "--yes"], DestroySecret(path=PATH, versions=(Ordinal(1),))),
        (["destroy", "secret/app", "--all", "--yes"], DestroySecret(path=PATH)),
    ],
)
def test_versions_are_deleted_recovered_and_destroyed(
    gateway: Scripted, run: Run, arguments: list[str], expected: object
) -> None:
    """Exactly those that were named."""
    gateway.answers.update({type(expected): None})
    assert run(*arguments).exit_code == 0
    assert gateway.asked == [expected]


@pytest.mark.parametrize("arguments", [["delete", "a"], ["destroy", "a", "--all"], ["destroy", "a", "--version", "1"]])
def test_nothing_is_deleted_unasked(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """Where nobody can be asked, --yes must be there."""
    result = run(*arguments)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "--yes" in result.stderr


@pytest.mark.usefixtures("somebody")
def test_a_no_stops_a_deletion(gateway: Scripted, run: Run) -> None:
    """The answer is no unless it is yes."""
    result = run("delete", "secret/app", input=b"n\n")
    assert (1, []) == (result.exit_code, gateway.asked)


@pytest.mark.parametrize("arguments", [[], ["--all", "--version", "1"]])
def test_destroy_wants_to_know_what(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """Never all by omission."""
    assert run("destroy", "a", "--yes", *arguments).exit_code == 2
    assert gateway.asked == []


EXITS = {
    "secret_not_found": 3, "version_not_found": 3, "gone": 3, "already_exists": 5, "conflict": 5,
    "precondition_required": 5, "invalid_value": 2, "too_large": 2, "malformed": 2, "unsupported": 2,
    "permission_denied": 4, "unauthenticated": 4, "rate_limited": 6, "unavailable": 6, "outcome_unknown": 1,
    "sealed": 6,
}  # fmt: skip


@pytest.mark.parametrize("error", CLOSED_LIST)
def test_every_error_has_its_exit_code(gateway: Scripted, run: Run, error: type[WardgateError]) -> None:
    """What happened is on stderr, with the request's id; stdout stays empty; no token anywhere."""
    gateway.answers[ReadSecret] = error("what happened")
    result = run("get", "secret/app")
    assert (EXITS[error.code], "") == (result.exit_code, result.stdout)
    assert "Error: what happened" in result.stderr
    assert "request-1" in result.stderr
    assert TOKEN not in result.output
    told = json.loads(run("get", "secret/app", "--json").stderr)["error"]
    assert (error.code, "what happened", "request-1") == (told["code"], told["message"], told["request_id"])
