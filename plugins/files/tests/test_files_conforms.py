"""The suite over a folder of age files, reached with age's own format behind the backend's back; and its own cases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, cast

import pyrage  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, Malformed, PermissionDenied, TooLarge, Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Value
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_files.backend import DECLARATION
from wardgate_files.names import file_name, folder_name, segment_of
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
        return self.folder.joinpath(*map(folder_name, path.segments[:-1]), file_name(path.segments[-1]))

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

    capabilities = DECLARATION.capabilities

    @pytest.fixture
    def harness(self, tmp_path: FilePath) -> FilesHarness:
        return FilesHarness(tmp_path)


@pytest.fixture
def store(tmp_path: FilePath) -> FilesHarness:
    """One folder."""
    return FilesHarness(tmp_path)


@given(st.text(min_size=1, max_size=40))
def test_a_segment_has_a_file_name_of_its_own(segment: str) -> None:
    """There and back; a plain one is its own name, and none is read as another's ending."""
    try:
        Path.parse(segment)
        name = folder_name(segment)
    except (Malformed, TooLarge):
        return
    if "/" not in segment:
        assert segment_of(name) == segment
        assert not name.endswith(".age")
        assert name not in {".", ".."}


def test_a_secret_and_a_folder_that_looks_like_its_file(store: FilesHarness) -> None:
    """``a`` and ``a.age/b`` are two secrets."""
    assert (file_name("a"), folder_name("a.age")) == ("a.age", "a%2Eage")
    assert segment_of("%2E%2E") is None
    assert segment_of("%new-00") is None


def test_text_that_a_person_encrypted_reads_as_text(store: FilesHarness) -> None:
    """Line ends and all; and an empty folder goes with its last secret."""

    async def scenario() -> None:
        backend = store.open()
        path = Path.parse("team/note")
        (store.folder / "team").mkdir()
        store.file(path).write_bytes(pyrage.encrypt(b"hunter2\n", [store.identity.to_public()]))
        assert (await backend.read(path)).value == Value(b"hunter2\n", TEXT)
        await backend.delete(path)
        assert list(store.folder.iterdir()) == []
        await backend.close()

    asyncio.run(scenario())


def test_a_symbolic_link_leads_nowhere(store: FilesHarness, tmp_path: FilePath) -> None:
    """Neither a file's nor a folder's is followed, and no list shows one."""

    async def scenario() -> None:
        backend = store.open()
        await backend.write(Path.parse("here"), Value(b"x"))
        (tmp_path / "outside").mkdir()
        (store.folder / "out").symlink_to(tmp_path / "outside")
        (store.folder / "link.age").symlink_to(store.folder / "here.age")
        for refused in (
            backend.read(Path.parse("link")),
            backend.write(Path.parse("out/x"), Value(b"x")),
        ):
            with pytest.raises(PermissionDenied) as told:
                await refused
            assert told.value.__context__ is None
        assert [entry.name for entry in (await backend.list(ROOT)).entries] == ["here"]
        assert list((tmp_path / "outside").iterdir()) == []
        await backend.close()

    asyncio.run(scenario())


def test_a_file_for_somebody_else_is_unavailable(store: FilesHarness) -> None:
    """So is a damaged one: it is there, and this gateway cannot open it."""

    async def scenario() -> None:
        backend = store.open()
        other = pyrage.x25519.Identity.generate().to_public()
        for held in (pyrage.encrypt(b"x", [other]), b"", b"not age"):
            (store.folder / "a.age").write_bytes(held)
            with pytest.raises(Unavailable):
                await backend.read(Path.parse("a"))
        await backend.close()

    asyncio.run(scenario())


def test_keys_that_cannot_work_are_refused_at_once(store: FilesHarness, tmp_path: FilePath) -> None:
    """By the option's name: what the file holds is not shown."""
    recipients = tmp_path / "recipients.txt"
    recipients.write_text(str(pyrage.x25519.Identity.generate().to_public()))
    with pytest.raises(InvalidValue, match="lacks the identity's own"):
        BACKEND.open(store.options(recipients_file=str(recipients)), SERVICES)
    store.identity_file.chmod(0o644)
    with pytest.raises(InvalidValue, match="chmod 600"):
        store.open()
    store.identity_file.chmod(0o600)
    store.identity_file.write_text("AGE-SECRET-KEY-1WRONG")
    with pytest.raises(InvalidValue) as told:
        store.open()
    assert "WRONG" not in str(told.value)
