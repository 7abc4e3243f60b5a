"""Backups: what is in one comes back, and what somebody did to one shows."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path as FilePath
from typing import BinaryIO

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.backup import Damaged, Manifest, archive
from wardgate.crypto.seal import KeyFileSeal
from wardgate.spi.errors import AlreadyExists, Gone, InvalidValue, Sealed, Unavailable
from wardgate.spi.path import Path
from wardgate.state import tables
from wardgate.state.namespaces import ROOT_NAMESPACE

from tests.support.backup_world import CANARY, World

APP = Path(("team", "app-1"))
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_what_was_backed_up_comes_back(world: World) -> None:
    """Values of every version, deletions, mounts, policies, keys and namespaces, under the same key file."""
    manifest = world.create()
    findings = world.restore(world.folder / "new")
    assert (2, 2, 0, 6, 10, []) == (
        findings.namespaces, findings.mounts, findings.foreign, findings.secrets, findings.versions, findings.problems,
    )  # fmt: skip
    state = world.open(world.folder / "new")

    async def look() -> None:
        store = world.store(state)
        assert CANARY == (await store.read(APP, version="1")).value.data
        with pytest.raises(Gone):
            await store.read(Path(("team", "app-0")))
        assert ["app"] == [policy.name for policy in state.policies.of(ROOT_NAMESPACE).policies]
        assert ["first"] == [info.principal.name for info in state.principals.keys(ROOT_NAMESPACE)]
        await state.close()

    asyncio.run(look())
    assert manifest.installation == state.installation
    assert [] == world.left_over()


def test_what_holds_once_does_not_come_back(world: World) -> None:
    """A wrapped answer may have been taken out since; an idempotency key's change may not be there any more."""
    world.create()
    assert world.restore(world.folder / "new").ok
    for data, rows in ((world.data, 1), (world.folder / "new", 0)):
        with closing(sqlite3.connect(data / "gateway.db")) as connection:
            for table in ("wrapped", "idempotency_keys"):
                assert (rows,) == connection.execute(f"SELECT count(*) FROM {table}").fetchone()


def test_a_backup_and_what_is_made_of_it_are_their_owner_s_alone(world: World) -> None:
    """0600 for files and 0700 for folders, whatever the umask."""
    world.create()
    world.restore(world.folder / "new")
    made = [world.file, world.folder / "new", *(world.folder / "new").rglob("*")]
    assert {0o600, 0o700} == {stat.S_IMODE(file.stat().st_mode) for file in made}
    assert {0o700} == {stat.S_IMODE(file.stat().st_mode) for file in made if file.is_dir()}


def test_a_backup_holds_no_key_and_no_value(world: World) -> None:
    """Neither the key file, nor the root key, nor a secret, nor a token."""
    world.create()
    content = world.file.read_bytes()
    key = json.loads(world.key.read_text())["current"]["key"]
    root = world.open()
    hidden = [key.encode(), base64.b64decode(key), root.root.exposed(), b"canary-value"]
    asyncio.run(root.close())
    assert [] == [secret for secret in hidden if secret in content]


def test_other_programs_can_look_into_it(world: World) -> None:
    """It is a tar file."""
    manifest = world.create()
    with tarfile.open(world.file) as opened:
        names = opened.getnames()
    assert [archive.MANIFEST, archive.CODE, *(member.name for member in manifest.files)] == names


def test_the_folder_without_its_stores_is_backed_up(tmp_path: FilePath) -> None:
    """A gateway that was only initialised."""
    from wardgate.cli import founding  # noqa: PLC0415

    world = World(tmp_path)
    asyncio.run(founding.create(world.data, world.key).close())
    world.create()
    assert (1, 0, []) == ((found := world.restore(tmp_path / "new")).namespaces, found.mounts, found.problems)


def test_nothing_is_overwritten(world: World) -> None:
    """Not a file, not a dangling link, not a folder with something in it."""
    world.file.write_text("mine")
    with pytest.raises(AlreadyExists, match="name another"):
        world.create()
    assert "mine" == world.file.read_text()
    link = world.folder / "link"
    link.symlink_to(world.folder / "nowhere")
    with pytest.raises(AlreadyExists):
        world.create(link)
    world.create(world.folder / "good")
    for taken in (world.data, world.file, link):
        with pytest.raises(AlreadyExists, match="name a new folder"):
            world.restore(taken, world.folder / "good")
    assert [] == world.left_over()


def test_a_file_that_came_meanwhile_is_not_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive takes its name only where nothing has it at that moment."""
    durable = archive.durable

    def and_then_another_comes(stream: BinaryIO) -> None:
        durable(stream)
        world.file.write_text("another's")

    monkeypatch.setattr(archive, "durable", and_then_another_comes)
    with pytest.raises(AlreadyExists, match="name another"):
        world.create()
    assert "another's" == world.file.read_text()
    assert [] == world.left_over()


def test_an_empty_folder_may_be_restored_into(world: World) -> None:
    """It is replaced in one step."""
    world.create()
    (world.folder / "new").mkdir()
    assert world.restore(world.folder / "new").ok
    assert (world.folder / "new" / "gateway.db").exists()


@pytest.mark.parametrize("place", ["data/new", "data/namespaces/new", "link/new"])
def test_nothing_is_restored_into_a_data_folder(world: World, place: str) -> None:
    """Neither straight nor through a link: the gateway that serves it would have a stranger's state below its own."""
    world.create()
    (world.folder / "link").symlink_to(world.data)
    with pytest.raises(InvalidValue, match="is a data folder"):
        world.restore(world.folder / place)
    assert [] == world.left_over()


@pytest.mark.parametrize(
    ("data", "file", "says"),
    [("nowhere", "backup", "there is no data"), ("data", "no/backup", "make it first"),
     ("data", "data/backup", "lies in the data folder")],
)  # fmt: skip
def test_a_wrong_place_is_named(world: World, data: str, file: str, says: str) -> None:
    """Before anything is copied."""
    world.data = world.folder / data
    with pytest.raises(InvalidValue, match=says):
        world.create(world.folder / file)


def test_another_installation_s_key_opens_nothing(world: World) -> None:
    """Not even the manifest is believed."""
    world.create()
    world.key.unlink()
    KeyFileSeal.create(world.key)
    with pytest.raises(Sealed, match="holds another"):
        world.verify()


def test_a_key_file_that_was_rotated_still_opens_it(world: World) -> None:
    """As long as the file holds the key before."""
    world.create()
    KeyFileSeal.rotate(world.key)
    assert world.verify().ok


@FEW
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_every_changed_bit_shows(world: World, place: float, bit: int) -> None:
    """Wherever it is: in a header, the manifest, a file, the padding or the end. Nothing is left behind."""
    if not world.file.exists():
        world.create()
    content = bytearray(world.file.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    spoilt = world.folder / "spoilt"
    spoilt.write_bytes(content)
    with pytest.raises((Damaged, Sealed)):
        world.restore(world.folder / "new", spoilt)
    assert not (world.folder / "new").exists()
    assert [] == world.left_over()


@FEW
@given(place=st.floats(0, 1, exclude_max=True))
def test_every_cut_shows(world: World, place: float) -> None:
    """At any byte."""
    if not world.file.exists():
        world.create()
    content = world.file.read_bytes()
    spoilt = world.folder / "spoilt"
    spoilt.write_bytes(content[: int(place * len(content))])
    with pytest.raises(Damaged):
        world.verify(spoilt)


def test_what_is_behind_the_end_shows(world: World) -> None:
    """Even a single byte."""
    world.create()
    with world.file.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(Damaged, match="behind the end"):
        world.verify()


def test_swapped_files_show(world: World) -> None:
    """Two stores of one size, each in the other's place."""
    world.create()
    content = world.file.read_bytes()
    with tarfile.open(world.file) as opened:
        first, second = [member for member in opened.getmembers() if member.name.startswith("namespaces/")]
    assert first.size == second.size
    one, other = (content[each.offset_data : each.offset_data + each.size] for each in (first, second))
    swapped = content.replace(one, b"\1" * first.size).replace(other, one).replace(b"\1" * first.size, other)
    world.file.write_bytes(swapped)
    with pytest.raises(Damaged, match="was changed"):
        world.verify()


def forged(world: World, change: Callable[[Manifest], Manifest]) -> None:
    """Write the archive of a changed manifest with a right code, as whoever has the key could."""
    manifest = world.create()
    changed = change(manifest)
    state = world.open()
    encoded = msgspec.json.encode(changed)
    stream = io.BytesIO()
    for name, content in ((archive.MANIFEST, encoded), (archive.CODE, archive.code_of(state.root, encoded))):
        stream.write(archive._header(name, len(content)) + content + archive._padding(len(content)))
    for member in changed.files:
        stream.write(archive._header(member.name, member.size) + b"x" * min(member.size, 100))
    asyncio.run(state.close())
    world.file.write_bytes(stream.getvalue())


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "namespaces/../../evil", "namespaces/x.db/../../e", "audit/evil", "key", "gateway.db"],
)
def test_no_name_leads_out_of_the_folder(world: World, name: str) -> None:
    """Not even one that is vouched for; a name twice neither."""
    extra = archive.Member(name, 3, "0" * 64)
    forged(world, lambda manifest: msgspec.structs.replace(manifest, files=(*manifest.files, extra)))
    with pytest.raises(Damaged, match="names files that no backup has"):
        world.restore(world.folder / "new")
    assert not (world.folder.parent / "evil").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(world: World) -> None:
    """More than the disk has room for."""
    huge = archive.Member("namespaces/x.db", 1 << 60, "0" * 64)
    forged(world, lambda manifest: msgspec.structs.replace(manifest, files=(*manifest.files, huge)))
    with pytest.raises(Unavailable, match="bytes, and"):
        world.verify()


def test_a_newer_format_is_named(world: World) -> None:
    """So that the reader knows which program to use."""
    forged(world, lambda manifest: msgspec.structs.replace(manifest, format="wardgate backup 2"))
    with pytest.raises(Damaged, match="a newer program wrote it"):
        world.verify()


def hostile(kind: bytes, name: str) -> bytes:
    """A tar file as others write it, with one member first."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as made:
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0
        made.addfile(member)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * 10_240, b"PK\x03\x04" + b"x" * 1_000, b'{"format": "wardgate backup 1"}' * 100,
        hostile(tarfile.SYMTYPE, "manifest.json"), hostile(tarfile.LNKTYPE, "gateway.db"),
        hostile(tarfile.CHRTYPE, "manifest.json"), hostile(tarfile.REGTYPE, "../../evil"),
        hostile(tarfile.REGTYPE, "a" * 300), hostile(tarfile.DIRTYPE, "namespaces"),
        archive._header("manifest.json", archive.MAX_MANIFEST + 1) + b"{" * 1_000,
        archive._header("manifest.json", 2_000) + b"[" * 2_000 + bytes(48) + archive._header("manifest.mac", 64)
        + bytes(512),
    ],
)  # fmt: skip
def test_what_is_no_backup_is_refused(world: World, content: bytes) -> None:
    """Links, devices, long names, foreign archives, and JSON that is nested without end."""
    world.file.write_bytes(content)
    with pytest.raises(Damaged):
        world.restore(world.folder / "new")
    assert [] == world.left_over()


def test_the_tests_have_something_in_every_table_with_a_code(world: World) -> None:
    """A new table is held to its code here too."""
    with closing(sqlite3.connect(world.data / "gateway.db")) as connection:
        coded = [table.name for table in tables.metadata.sorted_tables if "mac" in table.columns]
        assert [] == [name for name in coded if not connection.execute(f"SELECT 1 FROM {name}").fetchone()]


def sql(file: FilePath, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount == 1


@pytest.mark.parametrize(
    ("file", "statement", "says"),
    [
        ("gateway.db", "UPDATE principals SET policies = '[\"administrator\",\"x\"]'", "principals"),
        ("gateway.db", "UPDATE labels SET labels = '{}'", "labels"),
        ("gateway.db", "UPDATE roles SET policies = '[]' WHERE name = 'web'", "roles"),
        ("gateway.db", "UPDATE secret_ids SET uses_left = 9 WHERE namespace = 'root'", "secret_ids"),
        ("gateway.db", "UPDATE wrapped SET expires_at = expires_at + 1", "wrapped"),
        ("gateway.db", "UPDATE idempotency_keys SET busy_until = 0", "idempotency_keys"),
        ("gateway.db", "UPDATE policies SET rules = '[]'", "policies"),
        ("gateway.db", "UPDATE mounts SET type = 'vault' WHERE prefix = 'secret'", "mount"),
        ("gateway.db", "UPDATE namespaces SET name = 'other' WHERE name = 'team'", "namespaces"),
        ("gateway.db", "UPDATE keks SET wrapped = x'00' WHERE namespace = 'root'", "namespace root"),
        ("namespaces/root.db", "UPDATE native_secrets SET mac = x'00' WHERE number = 1", "secret team/app-0"),
        ("namespaces/root.db", "UPDATE native_versions SET wrapped_key = zeroblob(118) WHERE secret=2 AND ordinal=1",
         "secret team/app-1"),
        ("namespaces/root.db", "UPDATE native_versions SET ciphertext = x'00' WHERE secret = 3 AND ordinal = 2",
         "secret team/app-2"),
    ],
)  # fmt: skip
def test_what_was_tampered_with_before_the_backup_shows(world: World, file: str, statement: str, says: str) -> None:
    """The backup is genuine, what it holds is not: nothing is made of it."""
    sql(world.data / file, statement)
    world.create()
    findings = world.restore(world.folder / "new")
    assert [says] == [says for problem in findings.problems[:1] if says in problem], findings.problems
    assert not (world.folder / "new").exists()


def test_a_quick_look_does_not_read_the_secrets(world: World) -> None:
    """But everything else."""
    sql(world.data / "namespaces/root.db", "UPDATE native_versions SET ciphertext = x'00' WHERE secret=3 AND ordinal=2")
    world.create()
    findings = world.verify(values=False)
    assert (True, 2, 0) == (findings.ok, findings.mounts, findings.secrets)


def test_a_damaged_file_is_found_by_its_own_check(world: World) -> None:
    """What SQLite says of its pages is told."""
    file = world.data / "namespaces" / "root.db"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 3 + 200] = b"\xff" * 200
    file.write_bytes(content)
    world.create()
    findings = world.verify()
    assert not findings.ok
    assert findings.problems[0].startswith("namespaces/root.db: ")
