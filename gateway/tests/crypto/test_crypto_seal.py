"""The key file: made safely, refused plainly."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from wardgate.crypto import KeyFileSeal, RootKey
from wardgate.spi.errors import AlreadyExists, Sealed

ROOT_KEY = bytes(range(32))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "wardgate.key"


def test_a_new_key_file_opens_what_it_wrapped(key_file: Path) -> None:
    """Created, loaded again, the same root key comes back; the blob shows nothing of it."""
    blob = KeyFileSeal.create(key_file).wrap(ROOT_KEY)
    assert ROOT_KEY == KeyFileSeal.load(key_file).unwrap(blob)
    assert ROOT_KEY not in blob
    assert 126 == len(blob)


def test_the_mode_is_0600_whatever_the_umask(key_file: Path) -> None:
    """Nobody else can read the file, even for a moment."""
    before = os.umask(0)
    try:
        KeyFileSeal.create(key_file)
    finally:
        os.umask(before)
    assert 0o600 == key_file.stat().st_mode & 0o7777


def test_an_existing_file_is_never_overwritten(key_file: Path) -> None:
    """The only copy of a key cannot be lost by running ``init`` twice."""
    key_file.write_text("precious")
    with pytest.raises(AlreadyExists):
        KeyFileSeal.create(key_file)
    assert "precious" == key_file.read_text()


def test_rotation_keeps_the_previous_key(key_file: Path) -> None:
    """After one rotation the old blob opens and new ones name the new key; after two the old one is refused."""
    old = KeyFileSeal.create(key_file).wrap(ROOT_KEY)
    new = KeyFileSeal.rotate(key_file).wrap(ROOT_KEY)
    assert old[:8] != new[:8]
    assert [ROOT_KEY, ROOT_KEY] == [KeyFileSeal.load(key_file).unwrap(blob) for blob in (old, new)]
    assert 0o600 == key_file.stat().st_mode & 0o7777
    assert [key_file] == list(key_file.parent.iterdir())

    KeyFileSeal.rotate(key_file)
    with pytest.raises(Sealed, match="holds another"):
        KeyFileSeal.load(key_file).unwrap(old)


def _missing(file: Path) -> None:
    file.unlink()


def _group_readable(file: Path) -> None:
    file.chmod(0o640)


def _world_readable(file: Path) -> None:
    file.chmod(0o604)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def _one_letter(file: Path) -> None:
    content = json.loads(file.read_text())
    key = content["current"]["key"]
    content["current"]["key"] = ("A" if key[0] != "A" else "B") + key[1:]
    file.write_text(json.dumps(content))


def _another_shape(file: Path) -> None:
    file.write_text("[1, 2]")


def _nested(file: Path) -> None:
    file.write_text("[" * 4_000)


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (_missing, "restore it from your copy"),
        (_group_readable, "chmod 600"),
        (_world_readable, "chmod 600"),
        (_empty, "damaged; restore it from your copy"),
        (_cut, "damaged; restore it from your copy"),
        (_one_letter, "damaged; restore it from your copy"),
        (_another_shape, "damaged; restore it from your copy"),
        (_nested, "damaged; restore it from your copy"),
        (_a_folder, "not a regular file"),
    ],
)
def test_a_bad_key_file_is_refused_with_advice(key_file: Path, spoil: Callable[[Path], None], advice: str) -> None:
    """One plain sentence names the file and says what to do; it holds nothing of a key."""
    KeyFileSeal.create(key_file)
    key = json.loads(key_file.read_text())["current"]["key"]
    spoil(key_file)
    with pytest.raises(Sealed, match=advice) as refused:
        KeyFileSeal.load(key_file)
    assert str(key_file) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert key not in str(refused.value)


def test_a_damaged_blob_is_refused(key_file: Path) -> None:
    """Each byte of the wrapped root key counts."""
    seal = KeyFileSeal.create(key_file)
    blob = seal.wrap(ROOT_KEY)
    for at in range(len(blob)):
        spoiled = bytearray(blob)
        spoiled[at] ^= 1
        with pytest.raises(Sealed):
            seal.unwrap(bytes(spoiled))
    with pytest.raises(Sealed):
        seal.unwrap(b"")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that is not there is said plainly."""
    with pytest.raises(Sealed, match="cannot be written"):
        KeyFileSeal.create(tmp_path / "nowhere" / "wardgate.key")


def test_no_key_shows(key_file: Path) -> None:
    """``repr`` names the key's id alone."""
    seal = KeyFileSeal.create(key_file)
    key = json.loads(key_file.read_text())["current"]["key"]
    assert key not in repr(seal)
    assert RootKey(ROOT_KEY).exposed() == seal.unwrap(seal.wrap(ROOT_KEY))
