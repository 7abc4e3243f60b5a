"""The key-file seal: a file outside the data folder that guards the root key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
import stat
from pathlib import Path

from wardgate.crypto import envelope
from wardgate.crypto.envelope import HEADER, KEY_BYTES, SALT_BYTES, pack
from wardgate.spi.errors import AlreadyExists, InvalidValue, Sealed

FORMAT = "wardgate key file 1"
ID_BYTES = 8
_MAX_FILE_BYTES = 4_096
_NOTE = "Whoever has this file can read every secret. Keep a copy away from this machine."


class KeyFileSeal:
    """Wraps the root key under a key read from a file.

    The file, JSON of mode 0600, holds a current key and, after :meth:`rotate`, the one before; each has an id of 8
    random bytes. A wrapped root key is that id and then a wrapped key in the envelope's layout: 126 bytes.
    """

    __slots__ = ("_current", "_keys")

    def __init__(self, keys: dict[bytes, bytes], current: bytes) -> None:
        self._keys = {key_id: bytearray(key) for key_id, key in keys.items()}
        self._current = current

    def __repr__(self) -> str:
        return f"KeyFileSeal(current={self._current.hex()!r})"

    @classmethod
    def create(cls, file: Path) -> KeyFileSeal:
        """Write a new key file and return its seal.

        Raises:
            AlreadyExists: there is a file of that name; it is left as it is.
            Sealed: it cannot be written.
        """
        key_id = os.urandom(ID_BYTES)
        keys = {key_id: os.urandom(KEY_BYTES)}
        try:
            _write_new(file, _encode(keys, key_id))
        except FileExistsError:
            raise AlreadyExists(f"there is a file at {file} already; name another, or use that one") from None
        except OSError as error:
            raise Sealed(f"the key file {file} cannot be written: {error.strerror}; choose another place") from None
        return cls(keys, key_id)

    @classmethod
    def load(cls, file: Path) -> KeyFileSeal:
        """Read a key file.

        Raises:
            Sealed: it is missing, unreadable, open to others, or damaged; the message says what to do.
        """
        keys, current = _decode(_read(file), file)
        return cls(keys, current)

    @classmethod
    def rotate(cls, file: Path) -> KeyFileSeal:
        """Give the file a new current key; the one before stays as previous, so that what it wrapped still opens.

        Wrap the root key again, and store that, before rotating a second time. Raises Sealed as :meth:`load` does.
        """
        old, previous = _decode(_read(file), file)
        key_id = os.urandom(ID_BYTES)
        keys = {key_id: os.urandom(KEY_BYTES), previous: old[previous]}
        beside = file.with_name(f"{file.name}.{secrets.token_hex(4)}.new")
        try:
            _write_new(beside, _encode(keys, key_id))
            beside.replace(file)
            _sync_folder(file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise Sealed(f"the key file {file} cannot be replaced: {error.strerror}; it is as it was") from None
        return cls(keys, key_id)

    def wrap(self, root: bytes) -> bytes:
        """Wrap the root key under the current key."""
        wrapped = envelope.wrap_key(
            root,
            kek=self._keys[self._current],
            kek_version=0,
            salt=os.urandom(SALT_BYTES),
            aad=pack((HEADER, b"root", self._current)),
        )
        return self._current + wrapped

    def unwrap(self, blob: bytes) -> bytes:
        """Unwrap the root key.

        Raises:
            Sealed: it was wrapped by a key this file does not hold, or is damaged.
        """
        key_id, wrapped = blob[:ID_BYTES], blob[ID_BYTES:]
        key = self._keys.get(key_id)
        if key is None:
            raise Sealed(
                f"this data folder was sealed by key {key_id.hex()}, and the key file holds another; "
                "give the key file that was made with this data folder"
            )
        try:
            return envelope.unwrap_key(wrapped, kek=key, kek_version=0, aad=pack((HEADER, b"root", key_id)))
        except InvalidValue:
            raise Sealed("the stored root key is damaged; restore the data folder from a backup") from None


def _encode(keys: dict[bytes, bytes], current: bytes) -> bytes:
    entries = {
        ("current" if key_id == current else "previous"): {"id": key_id.hex(), "key": base64.b64encode(key).decode()}
        for key_id, key in keys.items()
    }
    content: dict[str, object] = {"format": FORMAT, "note": _NOTE, **entries}
    return json.dumps({**content, "checksum": _checksum(content)}, indent=2).encode() + b"\n"


def _checksum(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _decode(text: bytes, file: Path) -> tuple[dict[bytes, bytes], bytes]:
    damaged = Sealed(f"the key file {file} is damaged; restore it from your copy")
    try:
        content = json.loads(text)
        checksum = content.pop("checksum")
        if content["format"] != FORMAT or checksum != _checksum(content):
            raise damaged
        entries = [content[name] for name in ("current", "previous") if name in content]
        keys = {bytes.fromhex(entry["id"]): base64.b64decode(entry["key"], validate=True) for entry in entries}
        current = bytes.fromhex(content["current"]["id"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise damaged from None
    if any(len(key_id) != ID_BYTES or len(key) != KEY_BYTES for key_id, key in keys.items()):
        raise damaged
    return keys, current


def _read(file: Path) -> bytes:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Sealed(f"there is no key file at {file}; restore it from your copy, or correct its place") from None
    except OSError as error:
        raise Sealed(
            f"the key file {file} cannot be read: {error.strerror}; give it to the user who runs this"
        ) from None
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise Sealed(f"the key file {file} is not a regular file; name the file itself")
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise Sealed(f"the key file {file} is open to other users; run: chmod 600 {file}")
        return os.read(handle, _MAX_FILE_BYTES)
    finally:
        os.close(handle)


def _write_new(file: Path, text: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o600)
        os.write(handle, text)
        os.fsync(handle)
    finally:
        os.close(handle)
    _sync_folder(file)


def _sync_folder(file: Path) -> None:
    folder = os.open(file.absolute().parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
