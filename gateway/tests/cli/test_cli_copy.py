"""``wardgate copy``: when two values are the same, patience with a busy gateway, and an end with one that is gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from click.testing import Result
from wardgate.cli.client import Client, Reply
from wardgate.cli.copyist.carry import Carrier
from wardgate.cli.copyist.compare import same
from wardgate.cli.copyist.door import PATIENCE, Door, Found
from wardgate.cli.copyist.plan import Item, Outcome, Planner, State
from wardgate.cli.failure import Failure
from wardgate.spi.errors import PermissionDenied, SecretNotFound, Unavailable
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import ListSecrets, ReadSecrets, ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import BYTES, JSON, TEXT, Entry, Page, Value

from tests.support.scripted import Scripted

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Value(b"a", TEXT), Value(b"a", BYTES)),
        (Value(b'{"a": 1, "b": [1.0]}', JSON), Value(b'{"b":[1],"a":1}', JSON)),
        (Value(b'{"a": 1}', BYTES), Value(b'{"a":1}\n', TEXT)),
        (Value(b" [1]\n", JSON), Value(b"[1]", BYTES)),
        (Value(b'{"a": "\\u00fc"}', JSON), Value('{"a":"ü"}'.encode(), BYTES)),
    ],
)
def test_the_same_value(one: Value, other: Value) -> None:
    """Equal bytes, whatever they are called; or the same JSON, as another store would write it."""
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Value(b"a", TEXT), Value(b"a\n", TEXT)),
        (Value(b"1", TEXT), Value(b"1 ", TEXT)),
        (Value(b'{"a": 1}', JSON), Value(b'{"a": true}', JSON)),
        (Value(b'{"a": 1}', JSON), Value(b'{"a": "1"}', JSON)),
        (Value(b'{"a": null}', JSON), Value(b"{}", JSON)),
        (Value(b'{"a": [1, 2]}', JSON), Value(b'{"a": [2, 1]}', JSON)),
        (Value(b'{"a": 9007199254740993}', JSON), Value(b'{"a": 9007199254740993.5}', JSON)),
        (Value(b'{"a": 0.12345678901234567891}', JSON), Value(b'{"a": 0.12345678901234567892}', JSON)),
        (Value(b'{"a": 1, "a": 1}', BYTES), Value(b'{"a": 1}', BYTES)),
        (Value(b"\xff", BYTES), Value(b"{}", JSON)),
    ],
)
def test_another_value(one: Value, other: Value) -> None:
    """Nothing is rounded, guessed or trimmed away."""
    assert not same(one, other)
    assert not same(other, one)


class Busy:
    """A gateway that is asked too much, then answers; or that is gone."""

    def __init__(self, *failures: Failure) -> None:
        self.failures = list(failures)
        self.asked: list[tuple[str, str]] = []

    def request(self, method: str, path: str, **_: Any) -> Reply:
        """Fail as scripted, then answer."""
        self.asked.append((method, path))
        if self.failures:
            raise self.failures.pop(0)
        return Reply(200, {"content-type": TEXT, "etag": '"1"'}, b"value")


def door_to(busy: Busy, waited: list[float]) -> Door:
    return Door(cast("Client", busy), sleep=waited.append)


def test_what_came_too_fast_is_tried_again() -> None:
    """Each time after a longer while, and not for ever."""
    waited: list[float] = []
    too_fast = [Failure("too fast", code="rate_limited", request_id="r") for _ in range(2)]
    assert b"value" == door_to(Busy(*too_fast), waited).read("a").value.data
    assert list(PATIENCE[:2]) == waited
    waited.clear()
    failure = door_to(Busy(*too_fast * 5), waited).read("a").failure
    assert failure is not None
    assert ("rate_limited", list(PATIENCE)) == (failure.code, waited)


@pytest.mark.parametrize(
    ("failure", "goes_on"),
    [
        (Failure("nothing listens there", code="unavailable"), False),
        (Failure("expired", code="unauthenticated", request_id="r"), False),
        (Failure("the store is down", code="unavailable", request_id="r"), True),
        (Failure("no", code="permission_denied", request_id="r"), True),
    ],
)
def test_a_gateway_that_is_gone_is_not_asked_for_the_rest(failure: Failure, *, goes_on: bool) -> None:
    """Thousands of secrets would each wait in vain; one store or one policy is no reason to stop."""
    busy = Busy(failure)
    carrier = Carrier(door_to(busy, []), overwrite=False)
    items = [Item("a", "b", State.NEW), Item("c", "d", State.NEW)]
    for item in items:
        carrier.carry(item)
    assert [Outcome.FAILED, Outcome.COPIED if goes_on else Outcome.FAILED] == [item.outcome for item in items]
    assert failure.message == items[0].reason
    assert goes_on is ("not tried" not in items[1].reason)
    assert goes_on is (("PUT", "secrets/d") in busy.asked)


class Together(Door):
    """A gateway that reads all, and of the writes of many says this."""

    def __init__(self, *failures: Failure | None, refusal: Failure | None = None) -> None:
        super().__init__(cast("Client", None))
        self.failures = list(failures)
        self.refusal = refusal

    def read_many(self, wanted: Sequence[tuple[str, int | None]], *, exact: bool = False) -> list[Found]:
        """A value each."""
        assert exact
        return [Found(Value(b"x", TEXT)) for _ in wanted]

    def write_new(self, values: Sequence[tuple[str, Value]]) -> list[Failure | None]:
        """As scripted."""
        if self.refusal is not None:
            raise self.refusal
        assert len(values) == len(self.failures)
        return self.failures


@pytest.mark.parametrize("code", ["unsupported", "rate_limited", "too_large", "malformed"])
@pytest.mark.parametrize("of_all", [False, True])
def test_what_is_refused_among_many_is_tried_alone(code: str, *, of_all: bool) -> None:
    """One of them, or the whole request: it was not done, and the store or the gateway may take it so."""
    failure = Failure("no", code=code, request_id="r")
    door = Together(refusal=failure) if of_all else Together(None, failure)
    items = [Item("a", "b", State.NEW), Item("c", "d", State.NEW)]
    Carrier(door, overwrite=False).carry_new(items)
    assert [Outcome.UNTRIED if of_all else Outcome.COPIED, Outcome.UNTRIED] == [item.outcome for item in items]


def test_what_may_have_been_written_among_many_is_not_written_again() -> None:
    """Each item fails with its own reason, and a gateway that is gone ends the copy."""
    items = [Item("a", "b", State.NEW), Item("c", "d", State.NEW), Item("e", "f", State.NEW)]
    conflict, unknown = Failure("it exists", code="conflict"), Failure("perhaps", code="outcome_unknown")
    carrier = Carrier(Together(conflict, unknown, None), overwrite=True)
    carrier.carry_new(items)
    assert [("failed", "conflict"), ("failed", "outcome_unknown"), ("copied", "")] == [
        (item.outcome.value, item.code) for item in items
    ]
    assert not carrier.stopped.is_set()
    gone = Carrier(Together(refusal=Failure("nothing listens there", code="unavailable")), overwrite=True)
    gone.carry_new(items)
    assert gone.stopped.is_set()
    assert {("failed", "unavailable")} == {(item.outcome.value, item.code) for item in items}


def test_what_cannot_be_read_is_told_with_its_side(run: Run, gateway: Scripted) -> None:
    """Source and destination, each secret for itself, in the plan already."""
    gateway.answers[ListVisibleMounts] = tuple(MountInfo(at, Path((at,)), "native", {}, {}, 0) for at in "ab")
    gateway.answers[ScanSecrets] = Page((Entry("x"), Entry("y")))
    gateway.answers[ReadSecrets] = (PermissionDenied("not yours"), Unavailable("the store is down"))
    result = run("copy", "a", "b", "-r", "--dry-run")
    assert (1, "Dry run: 2 cannot.\n") == (result.exit_code, result.stderr)
    assert [
        "cannot\ta/x\tb/x\tsource: not yours",
        "cannot\ta/y\tb/y\tsource: the store is down",
    ] == result.stdout.splitlines()


def mounted(gateway: Scripted, *prefixes: str) -> None:
    gateway.answers[ListVisibleMounts] = tuple(MountInfo(at, Path.parse(at), "native", {}, {}, 0) for at in prefixes)


def test_a_folder_is_copied_with_the_option_that_is_named(run: Run, gateway: Scripted) -> None:
    """To list it is not what was wanted."""
    mounted(gateway, "a", "b")
    gateway.answers[ReadSecrets] = (SecretNotFound(),)
    gateway.answers[ListSecrets] = Page((Entry("x"),))
    result = run("copy", "a/app", "b/app")
    assert (3, True) == (result.exit_code, "a/app is a folder" in result.stderr)
    assert "`wardgate copy --recursive` copies every secret anywhere below it." in result.stderr


@pytest.mark.parametrize("words", [("a/app", "team/b"), ("team/b", "a/app")])
def test_a_mount_itself_is_no_secret(run: Run, gateway: Scripted, words: tuple[str, str]) -> None:
    """It is seen, and is not said to be missing."""
    mounted(gateway, "a", "team/b")
    result = run("copy", *words)
    assert (2, True) == (result.exit_code, "team/b is the mount itself; name a path below it" in result.stderr)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("place", "known"), [((Door, "below"), 0), ((Planner, "values"), 2), ((Planner, "more"), 2)])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_copy_that_is_stopped_before_it_began_reports_that(
    run: Run, gateway: Scripted, monkeypatch: pytest.MonkeyPatch, place: tuple[type, str], known: int, *, dry_run: bool
) -> None:
    """One JSON document, as at any other end; a person reads a sentence."""
    mounted(gateway, "a", "b")
    gateway.answers[ScanSecrets] = Page((Entry("x"), Entry("y")))
    gateway.answers[ReadSecrets] = (PermissionDenied("not yours"), Unavailable("the store is down"))
    monkeypatch.setattr(*place, interrupt)
    words = ["copy", "a", "b", "-r", *(["--dry-run"] if dry_run else [])]
    result = run(*words, "--json")
    told = json.loads(result.stdout)
    assert (1, known, dry_run) == (result.exit_code, len(told["secrets"]), told["dry_run"])
    assert {"not tried"} >= {one["outcome"] for one in told["secrets"]}
    plain = run(*words)
    assert (1, "") == (plain.exit_code, plain.stdout)
    assert "Stopped before all secrets were compared; nothing was copied.\n" == plain.stderr
