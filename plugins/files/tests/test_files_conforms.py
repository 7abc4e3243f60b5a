"""The suite over a folder of age files, reached with age's own format behind the backend's back; and its own cases."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import io
import json
import os
import stat
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path as FilePath
from typing import Any, cast

import pyrage  # type: ignore[import-untyped]
import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, OutcomeUnknown, PermissionDenied, SecretNotFound, TooLarge, Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Entry, SecretVersion, Value
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_files import options as keys
from wardgate_files.declaration import DECLARATION
from wardgate_files.options import Options
from wardgate_files.plugin import BACKEND

SERVICES: Any = None


class FilesHarness(Harness):
    """A fresh folder and a fresh identity."""

    def __init__(self, place: FilePath) -> None:
        self.folder = place / "secrets"
        self.folder.mkdir()
        self.identity = pyrage.x25519.Identity.generate()
        self.identity_file = place / "identity.txt"
        self.identity_file.write_text(f"# a comment\n{self.identity}\n")
        self.identity_file.chmod(0o600)

    def options(self, **more: Any) -> Options:
        return Options(folder=str(self.folder), identity_file=str(self.identity_file), **more)

    def open(self) -> Backend:
        return BACKEND.open(self.options(), SERVICES)

    def file(self, path: Path) -> FilePath:
        return self.folder / f"{path}.age"

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pyrage.encrypt(json.dumps(fields).encode(), [self.identity.to_public()]))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        file = self.file(path)
        if not file.exists():
            return None
        return cast("Mapping[str, str]", json.loads(pyrage.decrypt(file.read_bytes(), [self.identity])))


class TestFiles(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    @pytest.fixture
    def harness(self, tmp_path: FilePath) -> FilesHarness:
        return FilesHarness(tmp_path)


class Full(io.FileIO):
    """A file on a disk without room."""

    def write(self, _: Any) -> int:
        raise OSError(errno.ENOSPC, "no room")


def handles() -> int:
    """How many this process has open."""
    return len(list(FilePath("/proc/self/fd").iterdir()))


@pytest.fixture
def store(tmp_path: FilePath) -> FilesHarness:
    """One folder."""
    return FilesHarness(tmp_path)


def run(scenario: Callable[[Backend], Coroutine[Any, Any, None]], store: FilesHarness) -> None:
    """Let it happen over the opened store."""

    async def opened() -> None:
        backend = store.open()
        await scenario(backend)
        await backend.close()

    asyncio.run(opened())


@pytest.mark.parametrize("armored", [False, True])
def test_text_that_a_person_encrypted_reads_as_text(store: FilesHarness, *, armored: bool) -> None:
    """Line ends and all, binary or armored."""

    async def scenario(backend: Backend) -> None:
        held = pyrage.encrypt(b"hunter2\n", [store.identity.to_public()], armored=armored)
        store.file(Path.parse("note")).write_bytes(held)
        assert (await backend.read(Path.parse("note"))).value == Value(b"hunter2\n", TEXT)

    run(scenario, store)


def test_a_name_is_its_own_file_s_name(store: FilesHarness) -> None:
    """Nothing is escaped; a folder that would pass for a secret's file is refused, and so is the root."""

    async def scenario(backend: Backend) -> None:
        await backend.write(Path.parse("grüße 100%/a.age"), Value(b"x"))
        assert ["grüße 100%"] == [file.name for file in store.folder.iterdir()]
        assert (store.folder / "grüße 100%" / "a.age.age").is_file()
        for refused in (Path.parse("a.age/b"), ROOT):
            with pytest.raises(InvalidValue):
                await backend.write(refused, Value(b"x"))
            for missing in (backend.read(refused), backend.delete(refused)):
                with pytest.raises(SecretNotFound):
                    await missing
        assert () == (await backend.list(Path.parse("a.age"))).entries

    run(scenario, store)


def test_files_that_are_no_secrets_are_not_listed(store: FilesHarness) -> None:
    """Those of other tools, of writes that a crash cut off, and those whose names no path can have."""

    async def scenario(backend: Backend) -> None:
        for name in (".age-recipients", ".new-0123456789abcdef", "note.txt", ".age", "back\\slash.age", "here.age"):
            (store.folder / name).touch()
        (store.folder / os.fsdecode(b"\xff.age")).touch()
        (store.folder / "folder.age").mkdir()
        assert [Entry("here")] == list((await backend.list(ROOT)).entries)

    run(scenario, store)


def test_a_symbolic_link_leads_nowhere(store: FilesHarness, tmp_path: FilePath) -> None:
    """Neither a file's nor a folder's is followed, and no list shows one. A write replaces a link, not its target."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "target.age").write_bytes(pyrage.encrypt(b"x", [store.identity.to_public()]))

    async def scenario(backend: Backend) -> None:
        await backend.write(Path.parse("here"), Value(b"x"))
        (store.folder / "out").symlink_to(outside)
        (store.folder / "link.age").symlink_to(outside / "target.age")
        for refused in (
            backend.read(Path.parse("link")),
            backend.read(Path.parse("out/target")),
            backend.write(Path.parse("out/x"), Value(b"x")),
            backend.delete(Path.parse("out/target")),
            backend.list(Path.parse("out")),
        ):
            with pytest.raises(PermissionDenied) as told:
                await refused
            assert told.value.__context__ is None
        assert [Entry("here")] == list((await backend.list(ROOT)).entries)
        await backend.write(Path.parse("link"), Value(b"y"))
        assert ["target.age"] == [file.name for file in outside.iterdir()]
        assert pyrage.decrypt((outside / "target.age").read_bytes(), [store.identity]) == b"x"

    run(scenario, store)


def test_a_reader_sees_whole_values_alone(store: FilesHarness) -> None:
    """While several handles write the same file: the value of one write, never a part, and none is missing."""
    path = Path.parse("team/note")
    values = [bytes([letter]) * 60_000 for letter in b"abcdef"]

    async def scenario(backend: Backend) -> None:
        others = [store.open() for _ in range(2)]
        await backend.write(path, Value(values[0]))
        writes = [handle.write(path, Value(value)) for handle in (*others, backend) for value in values]
        reads = [handle.read(path) for handle in (backend, *others) for _ in range(12)]
        found = (await asyncio.gather(*reads, *writes))[: len(reads)]
        assert {one.value.data for one in found if isinstance(one, SecretVersion)} <= set(values)
        assert ["note.age"] == [file.name for file in (store.folder / "team").iterdir()]
        for other in others:
            await other.close()

    run(scenario, store)


def test_a_file_is_its_owner_s_alone(store: FilesHarness) -> None:
    """So is a folder that the backend makes."""

    async def scenario(backend: Backend) -> None:
        await backend.write(Path.parse("team/note"), Value(b"x"))
        modes = [stat.S_IMODE((store.folder / name).stat().st_mode) for name in ("team", "team/note.age")]
        assert modes == [0o700, 0o600]

    run(scenario, store)


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_value(
    store: FilesHarness, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """And nothing beside it, however far it came."""
    path = Path.parse("note")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "no room")

    async def scenario(backend: Backend) -> None:
        await backend.write(path, Value(b"old"))
        with monkeypatch.context() as broken:
            if call == "write":
                broken.setattr("builtins.open", lambda name, mode, opener: Full(name, mode, opener=opener))
            else:
                broken.setattr(os, call, full)
            with pytest.raises(Unavailable, match="no room"):
                await backend.write(path, Value(b"new"))
        assert (await backend.read(path)).value.data == b"old"
        assert ["note.age"] == [file.name for file in store.folder.iterdir()]

    run(scenario, store)


def test_a_change_that_may_not_be_durable_is_unknown(store: FilesHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rename, or the unlink, was done; whether it outlives a power cut is not known."""
    real = os.fsync

    def fails_for_folders(handle: Any) -> None:
        if isinstance(handle, int) and stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "no")
        real(handle)

    async def scenario(backend: Backend) -> None:
        await backend.write(Path.parse("note"), Value(b"x"))
        monkeypatch.setattr(os, "fsync", fails_for_folders)
        for unclear in (backend.write(Path.parse("note"), Value(b"y")), backend.delete(Path.parse("note"))):
            with pytest.raises(OutcomeUnknown):
                await unclear

    run(scenario, store)


def test_a_name_that_no_file_can_have_is_not_there(store: FilesHarness) -> None:
    """To whoever reads or deletes; a write is told that it is too long."""

    async def scenario(backend: Backend) -> None:
        for path in (Path(("x" * 255,)), Path(("y" * 255, "z" * 255))):
            for absent in (backend.read(path), backend.delete(path)):
                with pytest.raises(SecretNotFound):
                    await absent
            with pytest.raises(TooLarge):
                await backend.write(path, Value(b"x"))

    run(scenario, store)


def test_a_file_that_does_not_open_is_unavailable(store: FilesHarness) -> None:
    """One for somebody else, a damaged one, a cut one, one that is too large, a pipe: there, and not to be had."""
    other = pyrage.x25519.Identity.generate().to_public()
    large = pyrage.encrypt(bytes(200_000), [store.identity.to_public()])

    async def scenario(backend: Backend) -> None:
        for held in (pyrage.encrypt(b"x", [other]), b"", b"not age", large[:100_000], large):
            (store.folder / "a.age").write_bytes(held)
            with pytest.raises(Unavailable):
                await backend.read(Path.parse("a"))
        os.mkfifo(store.folder / "pipe.age")
        with pytest.raises(Unavailable):
            await backend.read(Path.parse("pipe"))
        writer = os.open(store.folder / "pipe.age", os.O_RDWR)  # a pipe that somebody has open, and says nothing into
        with pytest.raises(Unavailable):
            await backend.read(Path.parse("pipe"))
        os.close(writer)

    run(scenario, store)


def test_a_refused_read_gives_back_its_handles(store: FilesHarness) -> None:
    """Of a folder where a file should be too; a gateway lives long."""
    (store.folder / "a.age").mkdir()

    async def scenario(backend: Backend) -> None:
        await backend.health()
        before = handles()
        for _ in range(4):
            with pytest.raises(PermissionDenied):
                await backend.read(Path.parse("a"))
        assert before == handles()

    run(scenario, store)


def test_a_folder_that_is_away_is_no_missing_secret(store: FilesHarness) -> None:
    """A disk that is not mounted loses nobody's secrets."""

    async def scenario(backend: Backend) -> None:
        store.folder.rmdir()
        for call in (backend.read(Path.parse("a")), backend.write(Path.parse("a"), Value(b"x")), backend.list(ROOT)):
            with pytest.raises(Unavailable):
                await call
        assert not (await backend.health()).ok

    run(scenario, store)


def test_more_people_can_be_given_the_files(store: FilesHarness) -> None:
    """Each of the recipients opens what is written, and so does the mount itself."""
    people = [pyrage.x25519.Identity.generate() for _ in range(2)]
    backend = BACKEND.open(store.options(recipients=" ".join(str(one.to_public()) for one in people)), SERVICES)

    async def scenario() -> None:
        await backend.write(Path.parse("a"), Value(b"x"))
        assert (await backend.read(Path.parse("a"))).value.data == b"x"
        await backend.close()

    asyncio.run(scenario())
    for one in people:
        assert pyrage.decrypt((store.folder / "a.age").read_bytes(), [one]) == b"x"


def test_keys_that_cannot_work_are_refused_at_once(store: FilesHarness) -> None:
    """By the option's name: what it holds is not shown."""
    with pytest.raises(InvalidValue, match="'recipients'") as told:
        BACKEND.open(store.options(recipients="age1WRONG"), SERVICES)
    assert "WRONG" not in str(told.value)
    store.identity_file.chmod(0o644)
    with pytest.raises(InvalidValue, match="chmod 600"):
        store.open()
    store.identity_file.chmod(0o600)
    for held in (b"AGE-SECRET-KEY-1WRONG", b"", b"# a comment alone", b"\xff"):
        store.identity_file.write_bytes(held)
        with pytest.raises(InvalidValue, match="'identity_file' names a file without") as told:
            store.open()
        assert "WRONG" not in str(told.value)
        assert told.value.__context__ is None
    store.identity_file.unlink()
    with pytest.raises(InvalidValue, match="'identity_file' names no file"):
        store.open()


def test_a_file_that_cannot_be_read_is_said_to_be_there(store: FilesHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner is what is to be changed, not the path."""

    def denied(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(keys, "_without_waiting", denied)
    with pytest.raises(InvalidValue, match="'identity_file' names a file that the gateway's user cannot read"):
        store.open()


def test_a_pipe_in_the_place_of_the_keys_is_not_waited_for(
    store: FilesHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may ever write to it; it can come there after the path was looked at, too."""
    store.identity_file.unlink()
    os.mkfifo(store.identity_file, 0o600)
    with pytest.raises(InvalidValue, match="'identity_file' names no file"):
        store.open()
    monkeypatch.setattr(keys, "check_files", lambda *_: None)
    with pytest.raises(InvalidValue, match="'identity_file' names what is no file"):
        store.open()


@pytest.mark.parametrize("name", ["folder", "identity_file"])
def test_places_are_named_in_full(store: FilesHarness, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A relative place would be found in whatever folder the gateway was started from, and is refused."""
    monkeypatch.chdir(store.folder.parent)
    relative = FilePath(getattr(store.options(), name)).name
    with pytest.raises(InvalidValue, match=f"'{name}' must be an absolute path"):
        BACKEND.open(dataclasses.replace(store.options(), **{name: relative}), SERVICES)
