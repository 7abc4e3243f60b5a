"""A plugin that raises everything and answers nonsense: one error of the closed list comes of it, and nothing leaks."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from wardgate.mounts import guard
from wardgate.mounts.guard import FAILED, Guarded
from wardgate.mounts.promises import MAX_VALUE_BYTES
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    CLOSED_LIST,
    Gone,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unauthenticated,
    Unavailable,
    WardgateError,
)
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

CANARY = "canary-plugin-51c7"
PATH = Path.parse("app/db")
EVERYTHING = Capabilities(
    **{field.name: True for field in dataclasses.fields(Capabilities) if isinstance(field.default, bool)}
)
READS: dict[str, Callable[[Backend], Awaitable[object]]] = {
    "read": lambda backend: backend.read(PATH),
    "list": lambda backend: backend.list(PATH, limit=10),
    "describe": lambda backend: backend.describe(PATH),
    "probe": lambda backend: backend.probe(),
}
CHANGES: dict[str, Callable[[Backend], Awaitable[object]]] = {
    "write": lambda backend: backend.write(PATH, Value(CANARY.encode())),
    "annotate": lambda backend: backend.annotate(PATH, labels={"a": CANARY}, merge=True),
    "delete": lambda backend: backend.delete(PATH),
    "undelete": lambda backend: backend.undelete(PATH, versions=["1"]),
    "destroy": lambda backend: backend.destroy(PATH),
    "move_stage": lambda backend: backend.move_stage(PATH, "x", version="1"),
}
CALLS = READS | CHANGES


class OwnError(WardgateError):
    """An error that a plugin made up."""

    code = CANARY


def _nested() -> BaseException:
    return BaseExceptionGroup(CANARY, [ValueError(CANARY), BaseExceptionGroup(CANARY, [SystemExit(CANARY)])])


def _caused() -> BaseException:
    error = RuntimeError(CANARY)
    error.__cause__ = KeyError(CANARY)
    error.add_note(CANARY)
    return error


RAISED: dict[str, Callable[[], BaseException]] = {
    "group": _nested,
    "cause": _caused,
    "recursion": lambda: RecursionError(CANARY),
    "memory": lambda: MemoryError(CANARY),
    "stop": lambda: StopIteration(CANARY),
    "stop-async": lambda: StopAsyncIteration(CANARY),
    "cancelled": lambda: asyncio.CancelledError(CANARY),
    "exit": lambda: SystemExit(CANARY),
    "generator": lambda: GeneratorExit(CANARY),
    "base": lambda: BaseException(CANARY),
    "timeout": lambda: TimeoutError(CANARY),
    "huge": lambda: ValueError(CANARY * 100_000),
    "own": lambda: OwnError(CANARY),
    "bare": lambda: WardgateError(CANARY),
    "long": lambda: SecretNotFound(CANARY * 1_000),
    "no-sentence": lambda: SecretNotFound(f"\x1b[2J{CANARY}"),
    "no-text": lambda: SecretNotFound({CANARY: 1}),  # type: ignore[arg-type]  # what it is about
}


class Evil(Backend):
    """Does in every method what it is told to."""

    capabilities = EVERYTHING

    def __init__(self, act: Callable[[], Any], *, at_once: bool = False) -> None:
        self._act, self._at_once = act, at_once

    def __getattribute__(self, name: str) -> Any:
        if name not in {*CALLS, "health", "close"}:
            return object.__getattribute__(self, name)

        async def later(*_: object, **__: object) -> Any:
            return self._act()

        def at_once(*_: object, **__: object) -> Any:
            return self._act()

        return at_once if self._at_once else later

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError


def raising(make: Callable[[], BaseException]) -> Callable[[], Any]:
    def act() -> Any:
        raise make()

    return act


def answering(answer: Any) -> Callable[[], Any]:
    return lambda: answer


def outcome(call: Callable[[Backend], Awaitable[object]], evil: Evil) -> object:
    """What one call of the guarded backend ends in, as a request would hear it."""

    async def ask() -> object:
        (one,) = await asyncio.gather(_once(call, Guarded("mount evil/", evil)), return_exceptions=True)
        return one

    return asyncio.run(ask())


async def _once(call: Callable[[Backend], Awaitable[object]], backend: Backend) -> object:
    return await call(backend)


def silent(error: object, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the error with its traceback nor the log holds the canary."""
    assert isinstance(error, BaseException)
    told = "".join(traceback.format_exception(error))
    assert CANARY not in told + repr(error) + caplog.text
    assert (None, None) == (error.__cause__, error.__context__)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("kind", RAISED)
@pytest.mark.parametrize("name", CALLS)
def test_whatever_is_raised_is_one_error(
    name: str,
    kind: str,
    at_once: bool,  # noqa: FBT001  # pytest's
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Unknown where something may have changed, else unavailable; and the log names the mount and the place."""
    caplog.set_level(logging.DEBUG, "wardgate")
    error = outcome(CALLS[name], Evil(raising(RAISED[kind]), at_once=at_once))
    assert (OutcomeUnknown if name in CHANGES else Unavailable) is type(error)
    assert "the plugin of mount evil/ failed with" in caplog.text
    silent(error, caplog)


@pytest.mark.parametrize("kind", CLOSED_LIST)
@pytest.mark.parametrize("name", ["read", "write"])
def test_an_error_of_the_closed_list_stays_what_it_is(
    name: str, kind: type[WardgateError], caplog: pytest.LogCaptureFixture
) -> None:
    """With its sentence, and without its cause; but the caller's credential is no store's to judge."""

    def raised() -> BaseException:
        error = kind("why")
        error.__cause__ = ValueError(CANARY)
        return error

    error = outcome(CALLS[name], Evil(raising(raised)))
    expected = {Unauthenticated: PermissionDenied, OutcomeUnknown: Unavailable if name == "read" else OutcomeUnknown}
    assert expected.get(kind, kind) is type(error)
    assert isinstance(error, WardgateError)
    assert error.message == "why"
    silent(error, caplog)


@pytest.mark.parametrize("wait", [-1.0, float("nan"), float("inf"), "soon", None])
def test_a_wait_that_cannot_be_is_none(wait: Any) -> None:
    """A header is made of it."""
    error = outcome(READS["read"], Evil(raising(lambda: RateLimited("slow down", retry_after=wait))))
    assert isinstance(error, RateLimited)
    assert error.retry_after is None


@pytest.mark.parametrize("wait", [86_401, 1e300, 10**400])
def test_a_wait_is_a_day_at_most(wait: Any) -> None:
    """No client could hold a longer one, nor would come back after it."""
    error = outcome(READS["read"], Evil(raising(lambda: RateLimited("slow down", retry_after=wait))))
    assert isinstance(error, RateLimited)
    assert error.retry_after == guard.MAX_WAIT == 86_400


altered: Any = replace
"""With what no type allows."""
made_entry: Any = Entry
GRANT = Permission("x", frozenset({"read"}), granted=False)
INFO = VersionInfo("1", 1, 5)
FOUND = SecretVersion(INFO, Value(CANARY.encode()))
KNOWN = SecretInfo(INFO, (INFO,), 1, 2)
WRONG: tuple[Any, ...] = (None, CANARY, 7, [CANARY], {CANARY: CANARY}, object())
WRONG_VERSIONS: tuple[Any, ...] = (
    *WRONG,
    altered(INFO, id=""),
    altered(INFO, id=CANARY * 1_000),
    altered(INFO, id="\ud800"),
    altered(INFO, id=1),
    altered(INFO, ordinal=-1),
    altered(INFO, ordinal=0),
    altered(INFO, ordinal=True),
    altered(INFO, ordinal=2**70),
    altered(INFO, ordinal=2),
    altered(INFO, id="01"),
    altered(INFO, digest=lambda: CANARY),
    altered(INFO, created_at=-1),
    altered(INFO, created_at=10**30),
    altered(INFO, deleted_at="yesterday"),
    altered(INFO, expires_at=2.5),
    altered(INFO, state="live"),
    altered(INFO, stages=None),
    altered(INFO, stages=frozenset({1})),
    altered(INFO, labels={"a": 1}),
)
NONSENSE: dict[str, tuple[Any, ...]] = {
    "write": WRONG_VERSIONS,
    "read": (
        *WRONG,
        *(SecretVersion(info, Value(b"x")) for info in WRONG_VERSIONS),
        altered(FOUND, value=None),
        altered(FOUND, value=altered(FOUND.value, data=CANARY)),
        altered(FOUND, value=altered(FOUND.value, media_type=None)),
        altered(FOUND, value=Value(bytes(MAX_VALUE_BYTES + 1))),
        altered(FOUND, labels={CANARY: None}),
        altered(FOUND, labels=None),
    ),
    "list": (
        *WRONG,
        Page(tuple(Entry(f"{CANARY}{number}") for number in range(1_000_000))),
        Page((), "c" * 2**20),
        Page((), ""),
        altered(Page(()), cursor=7),
        altered(Page(()), entries=(None,)),
        Page((made_entry(b"a", folder=False),)),
        Page((made_entry("a", folder=CANARY),)),
        Page((("a", False),)),  # type: ignore[arg-type]  # equal to an entry, and none
        Page((Entry("a" * 2**20),)),
        altered(Page(()), entries=None),
    ),
    "describe": (
        *WRONG,
        *(altered(KNOWN, current=info) for info in WRONG_VERSIONS if info is not None),
        *(altered(KNOWN, versions=(info,)) for info in WRONG_VERSIONS),
        altered(KNOWN, versions=(INFO, INFO)),
        altered(KNOWN, versions=[INFO]),
        altered(KNOWN, created_at=None),
        altered(KNOWN, labels={"a": 1}),
        altered(KNOWN, settings=None),
        altered(KNOWN, settings=altered(SecretSettings(), max_versions=CANARY)),
        altered(KNOWN, settings=altered(SecretSettings(), compare_and_set_required=1)),
    ),
    "probe": (
        None,
        7,
        (CANARY, CANARY),
        (Permission(CANARY * 1_000, frozenset({"read"}), granted=False),),
        (altered(GRANT, needed_for="read"),),
        (altered(GRANT, granted="no"),),
        (altered(GRANT, needed_for=frozenset({"reading"})),),
        (GRANT,) * 1_000,
    ),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_whatever_is_answered_against_the_promise_is_one_error(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A write that is answered so may have been made."""
    for answer in NONSENSE[name]:
        error = outcome(CALLS[name], Evil(answering(answer)))
        assert (OutcomeUnknown if name == "write" else Unavailable) is type(error), repr(answer)[:200]
        silent(error, caplog)


def test_what_keeps_its_promise_passes() -> None:
    """Unchanged; what only looks odd is put in order, or left out."""
    assert FOUND is outcome(READS["read"], Evil(lambda: FOUND))
    assert INFO is outcome(CHANGES["write"], Evil(lambda: INFO))
    assert outcome(CHANGES["delete"], Evil(lambda: CANARY)) is None
    second = altered(INFO, id="2", ordinal=2)
    mixed = altered(KNOWN, versions=(second, INFO))
    assert altered(KNOWN, versions=(INFO, second)) == outcome(READS["describe"], Evil(lambda: mixed))
    nobodys = ("\ud800", "..", ".", "", "a/b", "a\nb", "a\\b", " a")
    odd = Page((Entry("a"), *map(Entry, nobodys), Entry("b")), "next")
    assert Page((Entry("a"), Entry("b")), "next") == outcome(READS["list"], Evil(lambda: odd))


def test_a_store_without_numbers_gives_none() -> None:
    """The gateway's ledger does, and one number must not come from two hands."""

    class Unnumbered(Evil):
        capabilities = dataclasses.replace(EVERYTHING, ordinals=False)

    opaque = VersionInfo("7f")
    assert opaque is outcome(CHANGES["write"], Unnumbered(lambda: opaque))
    assert OutcomeUnknown is type(outcome(CHANGES["write"], Unnumbered(lambda: INFO)))


def test_what_is_known_of_a_version_that_is_gone_is_checked_too() -> None:
    """It is told with the error."""
    error = outcome(READS["read"], Evil(raising(lambda: Gone("gone", info=INFO))))
    assert isinstance(error, Gone)
    assert INFO == error.info
    error = outcome(READS["read"], Evil(raising(lambda: Gone("gone", info=altered(INFO, created_at=-1)))))
    assert isinstance(error, Gone)
    assert error.info is None


@pytest.mark.parametrize("kind", RAISED)
def test_health_and_close_never_raise(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The end of a process, or of a mount, waits for no plugin to be right."""
    health = outcome(lambda backend: backend.health(), Evil(raising(RAISED[kind])))
    assert Health(ok=False, detail=FAILED) == health
    assert outcome(lambda backend: backend.close(), Evil(raising(RAISED[kind]))) is None
    assert CANARY not in caplog.text
    for answer in WRONG:
        health = outcome(lambda backend: backend.health(), Evil(answering(answer)))
        assert Health(ok=False, detail=FAILED) == health


@pytest.mark.parametrize("kind", RAISED)
def test_opening_ends_in_one_error(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """One mount that cannot be opened touches no other."""
    with pytest.raises(Unavailable, match="the plugin of this store failed") as caught:
        guard.opened("mount evil/", raising(RAISED[kind]))
    silent(caught.value, caplog)


@pytest.mark.parametrize(
    "capabilities", [None, CANARY, altered(EVERYTHING, write="yes"), altered(EVERYTHING, page_size=0),
                     altered(EVERYTHING, max_value_bytes=-1)],
)  # fmt: skip
def test_what_declares_nonsense_is_not_opened(capabilities: Any) -> None:
    """Everything after rests on the declaration."""

    class Declaring(Evil):
        def __getattribute__(self, name: str) -> Any:
            return capabilities if name == "capabilities" else super().__getattribute__(name)

    with pytest.raises(Unavailable):
        guard.opened("mount evil/", lambda: Declaring(lambda: None))
    with pytest.raises(Unavailable):
        guard.opened("mount evil/", lambda: capabilities)


def test_a_client_that_goes_away_still_cancels() -> None:
    """What comes from outside of the plugin goes on its way."""
    began, ended = asyncio.Event(), []

    class Slow(Evil):
        async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(path)
            raise AssertionError

        def __getattribute__(self, name: str) -> Any:
            return object.__getattribute__(self, name)

    async def go() -> None:
        task = asyncio.create_task(_once(READS["read"], Guarded("mount slow/", Slow(lambda: None))))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert [PATH] == ended


def test_an_end_of_the_process_is_no_fault_of_the_plugin() -> None:
    """Ctrl-C ends it."""
    with pytest.raises(KeyboardInterrupt):
        guard.opened("mount evil/", raising(KeyboardInterrupt))


def test_no_call_of_a_backend_passes_unguarded() -> None:
    """Nor is one answered by the refusal that backends inherit: a call that comes to them comes to the guard too."""
    calls = {name for name, one in vars(Backend).items() if callable(one) and not name.startswith("_")}
    assert CALLS.keys() | {"health", "close"} == calls
    assert calls <= vars(Guarded).keys()
