"""The innermost layer, over a small store that does not number its versions."""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import Any, TypeVar

import pytest
from wardgate.context import Context
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.mounts import Mount, Mounts
from wardgate.pipeline.dispatch import Dispatch
from wardgate.pipeline.dispatch.breaker import COOL_DOWN, FAILURES
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    InvalidValue,
    Malformed,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.frontend import Arrival
from wardgate.spi.operations.base import Operation, Rejected
from wardgate.spi.operations.secrets import (
    Absent,
    DeleteSecret,
    DescribeSecret,
    DestroySecret,
    ListSecrets,
    MoveStage,
    Ordinal,
    ReadSecret,
    Stage,
    WriteSecret,
)
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import JSON, Entry, Expect, Page, SecretVersion, Value, VersionInfo

from tests.support.memory_services import MemoryKeeper, NoKeys

R = TypeVar("R")
SECRET = Path.parse("odd/app/db")
RING = NamespaceKeyring("root", {1: RootKey.new_kek()}, 1)


class FakeClock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> int:
        return int(self.seconds * 1e9)

    def monotonic(self) -> float:
        return self.seconds


class Unnumbered(Backend):
    """Keeps versions under letters; can be told to fail or to hang."""

    capabilities = Capabilities(write=True, versions=True, max_value_bytes=100, max_text_bytes=120, max_path_bytes=20)

    def __init__(self) -> None:
        self.versions: dict[Path, dict[str, Value]] = {}
        self.names = iter("abcdefgh")
        self.calls = 0
        self.failure: WardgateError | None = None
        self.hangs = False
        self.gate: asyncio.Event | None = None

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        await self._called()
        kept = self.versions.get(path)
        if kept is None:
            raise SecretNotFound
        name = version or list(kept)[-1]
        if name not in kept:
            raise VersionNotFound
        return SecretVersion(VersionInfo(name), kept[name])

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        await self._called()
        name = next(self.names)
        self.versions.setdefault(path, {})[name] = value
        return VersionInfo(name)

    async def _called(self) -> None:
        self.calls += 1
        if self.failure:
            raise self.failure
        if self.hangs:
            await asyncio.Event().wait()
        if self.gate:
            await self.gate.wait()


class MemoryLedger:
    """A ledger in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], list[str]] = {}

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        rows = self.rows.setdefault((mount_id, path), [])
        if store_version not in rows:
            rows.append(store_version)
        return rows.index(store_version) + 1

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        return dict(enumerate(self.rows.get((mount_id, path), []), 1)).get(ordinal)


class Room:
    """A dispatch layer over one mount at ``odd/``."""

    def __init__(self) -> None:
        self.backend = Unnumbered()
        self.clock = FakeClock()
        self.ledger = MemoryLedger()
        self.mounts = Mounts([Mount("m1", "root", Path.parse("odd"), "odd", {}, self.backend)])
        self.dispatch = Dispatch(
            {},
            lambda _: self.mounts,
            self.ledger,
            lambda _: RING,
            self.clock,
            MemoryKeeper(),
            NoKeys(),
        )
        self.ids = itertools.count()

    async def ask(self, operation: Operation[R], seconds: float = 5.0) -> R:
        arrival = Arrival(str(next(self.ids)), 0, self.clock.monotonic() + seconds, "127.0.0.1")
        outcome: Any = await self.dispatch(
            Context(arrival, operation, None, "root", self.mounts.locate(operation.path))
        )
        result: R = outcome.result
        return result

    def run(self, operation: Operation[R], seconds: float = 5.0) -> R:
        return asyncio.run(self.ask(operation, seconds))


@pytest.fixture
def room() -> Room:
    return Room()


def write(text: str) -> WriteSecret:
    return WriteSecret(path=SECRET, value=Value(text.encode()))


def test_versions_without_numbers_are_numbered_in_the_order_written(room: Room) -> None:
    """The ledger gives each version an ordinal once, and a read by it finds that version."""
    assert [1, 2] == [room.run(write("one")).ordinal, room.run(write("two")).ordinal]
    assert b"one" == room.run(ReadSecret(path=SECRET, version=Ordinal(1))).value.data
    assert 2 == room.run(ReadSecret(path=SECRET)).info.ordinal


def test_an_ordinal_that_never_was_is_not_found(room: Room) -> None:
    """The store is not asked for a version it never had."""
    room.run(write("one"))
    with pytest.raises(VersionNotFound):
        room.run(ReadSecret(path=SECRET, version=Ordinal(7)))


@pytest.mark.parametrize(
    "operation",
    [
        ListSecrets(path=Path.parse("odd")),
        DescribeSecret(path=SECRET),
        DeleteSecret(path=SECRET),
        WriteSecret(path=SECRET, value=Value(b"x"), expect=Absent()),
        ReadSecret(path=SECRET, version=Stage("previous")),
    ],
    ids=lambda operation: operation.name(),
)
def test_what_a_store_cannot_do_is_refused_without_asking_it(room: Room, operation: Operation[Any]) -> None:
    """A capability that is not declared is Unsupported, and the backend is not called."""
    with pytest.raises(Unsupported):
        room.run(operation)
    assert 0 == room.backend.calls


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        (WriteSecret(path=SECRET, value=Value(b"\xff" * 101)), TooLarge),
        (WriteSecret(path=SECRET, value=Value(b"x" * 121)), TooLarge),
        (ReadSecret(path=Path.parse("odd/" + "x" * 21)), TooLarge),
        (ReadSecret(path=Path.parse("odd")), Malformed),
        (ReadSecret(path=Path.parse("even/app")), SecretNotFound),
    ],
)
def test_bounds_are_checked_before_the_store_is_asked(
    room: Room, operation: Operation[Any], error: type[WardgateError]
) -> None:
    """Too large, no secret, no mount: each its own error, and the backend is not called."""
    with pytest.raises(error):
        room.run(operation)
    assert 0 == room.backend.calls


def test_text_that_is_called_json_and_is_not_is_refused(room: Room) -> None:
    """What is stored under that media type can be trusted to be an unambiguous document."""
    for text in (b"{", b'{"a":1,"a":2}', b'{"a":NaN}'):
        with pytest.raises(Malformed):
            room.run(WriteSecret(path=SECRET, value=Value(text, JSON)))
    assert 0 == room.backend.calls


def test_a_rejected_request_ends_in_its_error(room: Room) -> None:
    """What a front-end could not translate comes back as what it said."""
    with pytest.raises(Malformed):
        room.run(Rejected(path=ROOT, error=Malformed("no")))


def test_a_read_past_its_deadline_is_unavailable_and_a_write_unknown(room: Room) -> None:
    """A change that was sent and not confirmed is never called undone."""
    room.backend.hangs = True
    with pytest.raises(Unavailable):
        room.run(ReadSecret(path=SECRET), seconds=0)
    with pytest.raises(OutcomeUnknown):
        room.run(write("x"), seconds=0)


@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("down"), OutcomeUnknown("perhaps"), PermissionDenied("no"), InvalidValue("odd"), TooLarge("long"),
        RateLimited("slowly", retry_after=7.0),
    ],
    ids=lambda failure: failure.code,
)  # fmt: skip
def test_a_refusal_of_a_store_says_which_mount_it_is_of(room: Room, failure: WardgateError) -> None:
    """Whoever has several mounts is told which to look at; what else the error knew, it still knows."""
    room.backend.failure = failure
    with pytest.raises(type(failure), match=r"^mount odd/: ") as refused:
        room.run(ReadSecret(path=SECRET))
    assert getattr(failure, "retry_after", None) == getattr(refused.value, "retry_after", None)


def test_an_empty_value_is_refused_where_the_store_holds_none(room: Room) -> None:
    """Before the store is asked, as every bound is."""
    room.backend.capabilities = Capabilities(write=True, min_value_bytes=1)
    with pytest.raises(InvalidValue, match="empty"):
        room.run(write(""))
    assert 0 == room.backend.calls


def test_what_a_store_cannot_do_is_refused_with_the_reason(room: Room) -> None:
    """As its declaration notes it."""
    room.backend.notes = {"list": "it forgets names"}
    with pytest.raises(Unsupported, match="cannot list names: it forgets names"):
        room.run(ListSecrets(path=Path.parse("odd")))


def test_single_versions_and_current_need_their_own_capabilities(room: Room) -> None:
    """Destroying a whole secret, or moving other stages, does not include them."""
    room.backend.capabilities = Capabilities(write=True, versions=True, destroy=True, stages=True)
    room.run(write("one"))
    asked = room.backend.calls
    for operation in (
        DestroySecret(path=SECRET, versions=(Ordinal(1),)),
        MoveStage(path=SECRET, stage="current", version=Ordinal(1)),
    ):
        with pytest.raises(Unsupported):
            room.run(operation)
    assert asked == room.backend.calls


def test_a_store_that_keeps_failing_is_left_alone_and_then_probed(room: Room) -> None:
    """After enough failures nobody asks it; after the cool-down one request does, and success closes the breaker."""
    room.run(write("one"))
    room.backend.failure = Unavailable("down")
    for _ in range(FAILURES):
        with pytest.raises(Unavailable, match="down"):
            room.run(ReadSecret(path=SECRET))
    asked = room.backend.calls
    with pytest.raises(Unavailable, match="mount odd/: the store has failed repeatedly and is left alone"):
        room.run(ReadSecret(path=SECRET))
    assert asked == room.backend.calls
    room.backend.failure = None
    room.clock.seconds += COOL_DOWN
    room.run(ReadSecret(path=SECRET))
    room.run(ReadSecret(path=SECRET))
    assert asked + 2 == room.backend.calls


@pytest.mark.parametrize("refusal", [RateLimited("the disk is busy"), Unavailable("the disk is full")])
def test_a_write_that_could_not_be_numbered_is_no_failure(
    room: Room, refusal: WardgateError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has it; to be told that nothing was changed would make its writer repeat it."""

    async def refused(*_: object) -> int:
        raise refusal

    monkeypatch.setattr(room.ledger, "ordinal", refused)
    with pytest.raises(OutcomeUnknown, match="the store took the value"):
        room.run(write("one"))


def test_one_secret_that_cannot_be_had_keeps_nobody_from_the_others(room: Room) -> None:
    """The store answers; whoever owns a damaged secret does not shut the mount by asking for it."""
    room.run(write("one"))
    room.backend.failure = Unavailable.of_one("the file is damaged")
    for _ in range(FAILURES):
        with pytest.raises(Unavailable, match="mount odd/: the file is damaged"):
            room.run(ReadSecret(path=SECRET))
    room.backend.failure = None
    assert room.run(ReadSecret(path=SECRET)).value.data == b"one"


def after_an_outage(room: Room) -> None:
    """The breaker is open, the store is back, and the next request is the probe."""
    room.backend.failure = Unavailable("down")
    for _ in range(FAILURES):
        with pytest.raises(Unavailable):
            room.run(ReadSecret(path=SECRET))
    room.backend.failure = None
    room.clock.seconds += COOL_DOWN


def test_a_probe_that_finds_nothing_closes_the_breaker_too(room: Room) -> None:
    """Whoever asks for what is not there must not keep a store that is back from everybody else."""
    after_an_outage(room)
    with pytest.raises(SecretNotFound):
        room.run(ReadSecret(path=SECRET))
    assert 1 == room.run(write("one")).ordinal


def test_a_probe_outlives_the_caller_who_happens_to_ask(room: Room) -> None:
    """Callers with little patience cannot keep a store that is back from everybody else."""
    room.run(write("one"))
    after_an_outage(room)

    async def impatient() -> None:
        room.backend.gate = asyncio.Event()
        probe = asyncio.create_task(room.ask(ReadSecret(path=SECRET)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert FAILURES + 2 == room.backend.calls
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        room.backend.gate.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert b"one" == (await room.ask(ReadSecret(path=SECRET))).value.data

    asyncio.run(impatient())


class Listing(Unnumbered):
    """Gives its names one by one; its cursor is the last name, in plain."""

    capabilities = Capabilities(list=True)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        names = sorted(["a", "hidden-name", "z"])
        rest = [name for name in names if cursor is None or name > cursor]
        return Page((Entry(rest[0]),), rest[0] if len(rest) > 1 else None)


def test_a_cursor_shows_no_name_and_fits_its_own_folder_alone(room: Room) -> None:
    """The store's cursor is sealed: the last name of a page may be one the caller must not see."""
    room.mounts = Mounts([Mount("m1", "root", Path.parse("odd"), "odd", {}, Listing())])
    folder = Path.parse("odd/app")
    names, cursor = [], None
    for _ in range(3):
        page = room.run(ListSecrets(path=folder, cursor=cursor, limit=1))
        names += [entry.name for entry in page.entries]
        cursor = page.cursor
        if cursor is not None:
            assert b"hidden-name" not in base64.urlsafe_b64decode(cursor)
            for wrong in (cursor[:-4], cursor[::-1], "hidden-name", base64.urlsafe_b64encode(b"a").decode(), ""):
                with pytest.raises(Malformed):
                    room.run(ListSecrets(path=folder, cursor=wrong))
            with pytest.raises(Malformed):
                room.run(ListSecrets(path=Path.parse("odd/other"), cursor=cursor))
    assert ["a", "hidden-name", "z"] == names


def test_a_secret_that_is_not_there_is_no_failure_of_the_store(room: Room) -> None:
    """Refusals do not open the breaker: a caller cannot take a mount down by asking for what is not there."""
    for _ in range(FAILURES + 1):
        with pytest.raises(SecretNotFound):
            room.run(ReadSecret(path=SECRET))
