"""``get``, ``put``, ``list`` and the life of versions: what is asked, what is printed, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from click.testing import Result
from wardgate.cli import terminal
from wardgate.spi.errors import CLOSED_LIST, Malformed, PermissionDenied, Unsupported, WardgateError
from wardgate.spi.frontend import Freshness
from wardgate.spi.identity import Credential
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import (
    Absent,
    ListSecrets,
    Ordinal,
    PatchSecret,
    ReadSecret,
    ScanSecrets,
    VersionId,
    WriteSecret,
)
from wardgate.spi.path import Path
from wardgate.spi.values import (
    BYTES,
    JSON,
    TEXT,
    Entry,
    Page,
    SecretVersion,
    Value,
    VersionInfo,
)

from tests.support.scripted import Scripted

Run = Callable[..., Result]
TOKEN = "wg_canary-token-5d1e"
CANARY = "canary-value-91bc"
PATH = Path(("secret", "app"))
INFO = VersionInfo(id="3", ordinal=3)


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
    """Not found, with the names of those that are, which the reader may see, and none of their values."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b'{"other": "canary-value-91bc", "b": 1}', JSON))
    result = run("get", "secret/app", "--field", "a")
    assert (3, "") == (result.exit_code, result.stdout)
    assert "no field 'a'; it has other, b" in result.stderr
    assert CANARY not in result.stderr


def test_get_a_field_of_a_text(gateway: Scripted, run: Run) -> None:
    """Text has none, and is not shown instead."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(CANARY.encode(), TEXT))
    result = run("get", "secret/app", "--field", "a")
    assert (3, "") == (result.exit_code, result.stdout)
    assert "it has no fields" in result.stderr
    assert CANARY not in result.stderr


@pytest.mark.parametrize("command", ["get", "history"])
def test_get_of_a_folder_says_that_it_is_one(gateway: Scripted, run: Run, command: str) -> None:
    """With the command that lists it."""
    gateway.answers[ListSecrets] = Page((Entry("a"),))
    result = run(command, "secret/my app")
    assert (3, "") == (result.exit_code, result.stdout)
    assert "secret/my app is a folder\n`wardgate list 'secret/my app'`" in result.stderr


def test_get_of_a_mount_says_that_it_is_a_folder(gateway: Scripted, run: Run) -> None:
    """A path that ends at the mount is no secret's, which the gateway calls malformed."""
    gateway.answers.update({ReadSecret: Malformed("the path ends at the mount"), ListSecrets: Page((Entry("a"),))})
    result = run("get", "secret")
    assert (2, "") == (result.exit_code, result.stdout)
    assert "secret is a folder\n`wardgate list secret` shows what is in it." in result.stderr


@pytest.mark.parametrize("answer", [Page(()), PermissionDenied("no listing"), Unsupported("no folders")])
def test_get_of_nothing_names_the_folder_to_look_in(gateway: Scripted, run: Run, answer: object) -> None:
    """Whether or not a folder can be asked for."""
    gateway.answers[ListSecrets] = answer
    result = run("get", "secret/team/app")
    assert 3 == result.exit_code
    assert (
        "Error: nothing scripted\nCheck the name; `wardgate list secret/team` shows what is there.\n" in result.stderr
    )


def test_get_below_no_mount_names_the_list_of_mounts(gateway: Scripted, run: Run) -> None:
    """A folder that does not exist has nothing to list."""
    nowhere = "Check the name; `wardgate list` shows what is there.\n"
    gateway.answers[ListVisibleMounts] = ()
    assert nowhere in run("get", "nowhere/x").stderr
    mounts = (("secret",), ("team", "kv"))
    gateway.answers[ListVisibleMounts] = tuple(MountInfo("m1", Path(at), "native", {}, {}, 0) for at in mounts)
    assert nowhere in run("get", "nowhere/x").stderr
    assert nowhere in run("get", "team/other/x").stderr
    assert "Check the name; `wardgate list secret` shows what is there.\n" in run("get", "secret/x").stderr


@pytest.mark.parametrize("path", ["secret/app/", "/secret/app", "/secret/app/"])
@pytest.mark.parametrize(
    "command",
    [["get"], ["history"], ["put", "-"], ["patch", "a=-"], ["delete", "--yes"], ["undelete", "--version", "1"],
     ["destroy", "--all", "--yes"]],
)  # fmt: skip
def test_a_slash_too_many_is_named(gateway: Scripted, run: Run, command: list[str], path: str) -> None:
    """At the end it is most likely a folder that is meant."""
    result = run(command[0], path, *command[1:], input=b"x")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "leave out the slash" in result.stderr
    if path == "/secret/app":
        assert "leave out the slash at the beginning: secret/app\n" in result.stderr
    else:
        assert "`wardgate list secret/app` lists a folder" in result.stderr


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
        "path": "secret/app", "version": 3, "etag": '"3"', "created_at": "", **shown,
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


@pytest.mark.parametrize(("arguments", "instead"), [(["-"], ["--file", "/dev/null"]), (["a=-"], ["a=@/dev/null"])])
def test_put_stores_nothing_from_an_empty_stdin(
    gateway: Scripted, run: Run, arguments: list[str], instead: list[str]
) -> None:
    """A command before the pipe that failed must not replace a secret by nothing; what is named instead does."""
    result = run("put", "secret/app", *arguments, input=b"")
    assert result.exit_code == 2
    assert "stdin is empty" in result.stderr
    assert f"on purpose, give {' '.join(instead)}" in result.stderr
    assert [] == gateway.asked
    gateway.answers[WriteSecret] = INFO
    assert 0 == run("put", "secret/app", *instead).exit_code


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
        ["--plain", "user"],
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


def test_plain_says_how_it_is_written(run: Run) -> None:
    """Not how the others are."""
    assert "--plain is written NAME=TEXT" in run("put", "secret/app", "--plain", "user").stderr


def test_patch_changes_what_is_named(gateway: Scripted, run: Run, tmp_path: FilePath) -> None:
    """One merge patch: fields from stdin, a file and the command line, and null for what is taken away."""
    gateway.answers[PatchSecret] = INFO
    file = tmp_path / "ca"
    file.write_text("pem")
    given = ["a=-", f"ca=@{file}", "--plain", "user=app", "--remove", "old", "--expect", "2"]
    result = run("patch", "secret/app", *given, input=b"x\n")
    assert (0, "Stored version 3 of secret/app.\n") == (result.exit_code, result.stderr)
    (asked,) = gateway.asked
    assert isinstance(asked, PatchSecret)
    assert {"a": "x", "ca": "pem", "user": "app", "old": None} == json.loads(asked.patch.data)
    assert VersionId("2") == asked.expect


@pytest.mark.parametrize(
    "arguments", [[], [f"password={CANARY}"], ["a=-", "--remove", "a"], ["--plain", "a"], ["-"], ["a=-", "b=-"]]
)
def test_patch_refuses_what_is_unsafe_or_unclear(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """A usage error, nothing sent, and the value not repeated."""
    result = run("patch", "secret/app", *arguments, input=b"x")
    assert (2, "", []) == (result.exit_code, result.stdout, gateway.asked)
    assert CANARY not in result.stderr


def test_list_recursive_names_secrets_by_their_whole_paths(gateway: Scripted, run: Run) -> None:
    """So that a line can be given to ``get``; every page, and at the root every mount."""
    pages = iter([Page((Entry("a"), Entry("b/c")), "next"), Page((Entry("d"),))])
    gateway.answers[ScanSecrets] = lambda: next(pages)
    assert ["secret/x/a", "secret/x/b/c", "secret/x/d"] == run("list", "-r", "secret/x/").stdout.splitlines()
    folder = Path(("secret", "x"))
    assert gateway.asked == [ScanSecrets(path=folder), ScanSecrets(path=folder, cursor="next")]
    gateway.answers[ListVisibleMounts] = (MountInfo("m1", Path(("team", "kv")), "native", {}, {}, 0),)
    gateway.answers[ScanSecrets] = Page((Entry("a"),))
    assert {"entries": [{"name": "team/kv/a", "folder": False}]} == json.loads(
        run("list", "--recursive", "--json").stdout
    )


def test_list_reads_every_page(gateway: Scripted, run: Run) -> None:
    """Folders end in a slash; a page's cursor leads to the next."""
    pages = iter([Page((Entry("a"), Entry("a", folder=True)), "next"), Page((Entry("\x1b[2J"),))])
    gateway.answers[ListSecrets] = lambda: next(pages)
    assert run("list", "secret/").stdout.splitlines() == ["a", "a/", "\\x1b[2J"]
    assert gateway.asked == [
        ListSecrets(path=Path(("secret",)), limit=10_000),
        ListSecrets(path=Path(("secret",)), cursor="next", limit=10_000),
    ]


def test_list_without_a_path_shows_the_mounts(gateway: Scripted, run: Run) -> None:
    """Those one may see; none is said on stderr, so that a pipe stays empty."""
    gateway.answers[ListVisibleMounts] = ()
    result = run("list")
    assert (0, "", "There is nothing here that you may see.\n") == (result.exit_code, result.stdout, result.stderr)


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


@pytest.mark.parametrize(
    ("message", "says", "not_this"),
    [
        ("mount team/ro/: the store does not allow the gateway's own credential to do this",
         "Wardgate allowed it, its store did not: give the mount's credential the right", "administrator"),
        ("no rule allows it", "Ask an administrator for a policy", "store"),
    ],
)  # fmt: skip
def test_a_store_s_refusal_is_told_from_a_policy_s(
    gateway: Scripted, run: Run, message: str, says: str, not_this: str
) -> None:
    """No policy would help with the one, no right of the mount's credential with the other."""
    gateway.answers[WriteSecret] = PermissionDenied(message)
    result = run("put", "team/ro/app", "-", input=b"x")
    assert (4, True) == (result.exit_code, says in result.stderr)
    assert not_this not in result.stderr.partition("\n")[2]
