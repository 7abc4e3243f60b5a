"""The archive: a tar file of which every byte follows from its manifest, and a MAC that vouches for the manifest.

Nothing of a stranger's archive is interpreted but the manifest's JSON: each header is compared with the one that the
manifest gives, never parsed, so that links, devices, long names and sparse files cannot occur.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import BinaryIO, Final

import msgspec

from wardgate.crypto import RootKey
from wardgate.spi.errors import InvalidValue
from wardgate.state.installation import Seal

FORMAT: Final = "wardgate backup 1"
MANIFEST: Final = "manifest.json"
CODE: Final = "manifest.mac"
STATE: Final = "gateway.db"
MAX_MANIFEST: Final = 4 * 1024 * 1024
"""Bytes: room for some 30,000 files."""
CHUNK: Final = 1024 * 1024
_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_SIZE: Final = slice(124, 135)
"""Where a tar header holds the size, in octal digits."""
NAME: Final = re.compile(r"gateway\.db|namespaces/[0-9a-z]{1,64}\.db|audit/shard-\d{1,6}-\d{6,12}\.jsonl")

Tick = Callable[[int], None]
"""Told how many bytes, or things, were done since it was told last."""


class Damaged(InvalidValue):
    """The archive is not what ``create`` wrote: cut, changed, or something else."""

    code = "damaged"


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its name in the archive, its bytes and their SHA-256 in hexadecimal digits."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an archive holds, in order.

    ``version``: the gateway's. ``installation``: whose data it is. ``created_at``: the moment it shows, RFC 3339.
    ``root``: the root key as the seal wrapped it, in base64: of no use without the key file.
    """

    format: str
    version: str
    installation: str
    created_at: str
    root: str
    files: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(member.size for member in self.files)


def code_of(root: RootKey, manifest: bytes) -> bytes:
    """HMAC-SHA256 of the encoded manifest, in hexadecimal digits."""
    return hmac.digest(root.derive("backup/manifest"), manifest, "sha256").hex().encode()


def describe(folder: FilePath, names: Sequence[str]) -> tuple[Member, ...]:
    """Size and hash of each of these files."""
    return tuple(_member(folder / name, name) for name in names)


def _member(file: FilePath, name: str) -> Member:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Member(name, stream.tell(), digest)


def write(stream: BinaryIO, manifest: Manifest, root: RootKey, folder: FilePath, tick: Tick) -> None:
    """Write the archive of the manifest's files, which lie in ``folder``."""
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    if len(encoded) > MAX_MANIFEST:
        raise InvalidValue("there are too many files for one backup; leave the audit out, and ship its files elsewhere")
    code = code_of(root, encoded)
    stream.write(_header(MANIFEST, len(encoded)) + encoded + _padding(len(encoded)))
    stream.write(_header(CODE, len(code)) + code + _padding(len(code)))
    for member in manifest.files:
        stream.write(_header(member.name, member.size))
        with (folder / member.name).open("rb") as source:
            for chunk in iter(lambda: source.read(CHUNK), b""):
                stream.write(chunk)
                tick(len(chunk))
        stream.write(_padding(member.size))
    stream.write(_END)


class Archive:
    """An archive whose manifest is vouched for. Read from its beginning to its end, once."""

    def __init__(self, stream: BinaryIO, seal: Seal) -> None:
        """Read and check the manifest.

        Raises:
            Damaged: it is no backup, or its manifest was changed.
            Sealed: the key file is another installation's.
        """
        self._stream = stream
        encoded = self._content(MANIFEST, self._first_size())
        code = self._content(CODE, hashlib.sha256().digest_size * 2)
        try:
            self.manifest = msgspec.json.decode(encoded, type=Manifest)
            wrapped = base64.b64decode(self.manifest.root, validate=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
            raise Damaged("this is no backup: it has no manifest") from None
        self.root = RootKey(seal.unwrap(wrapped))
        if not hmac.compare_digest(code, code_of(self.root, encoded)):
            raise Damaged("the manifest of this backup was changed; take another one")
        _check(self.manifest)

    def extract(self, folder: FilePath) -> None:
        """Write every file into ``folder``, which is new and ours, and sync it.

        Raises:
            Damaged: a file is cut or changed, or there is more than the manifest says. What was written is to be
                removed.
        """
        for name in sorted({member.name.partition("/")[0] for member in self.manifest.files if "/" in member.name}):
            (folder / name).mkdir(mode=0o700)
        (folder / "namespaces").mkdir(mode=0o700, exist_ok=True)
        for member in self.manifest.files:
            self._expect(_header(member.name, member.size), member.name)
            with new_file(folder / member.name) as target:
                digest = hashlib.sha256()
                for chunk in self._chunks(member):
                    digest.update(chunk)
                    target.write(chunk)
                durable(target)
            if digest.hexdigest() != member.sha256:
                raise Damaged(f"{member.name} in this backup was changed; take another one")
            self._expect(_padding(member.size), member.name)
        self._expect(_END, "its end")
        if self._stream.read(1):
            raise Damaged("there is something behind the end of this backup; take another one")

    def _first_size(self) -> int:
        header = self._stream.read(_BLOCK)
        digits = header[_SIZE]
        size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else 0
        if not 0 < size <= MAX_MANIFEST or header != _header(MANIFEST, size):
            raise Damaged("this is no backup that `wardgate backup create` wrote")
        return size

    def _content(self, name: str, size: int) -> bytes:
        if name != MANIFEST:
            self._expect(_header(name, size), name)
        content = self._stream.read(size)
        self._expect(_padding(size), name)
        return content

    def _expect(self, wanted: bytes, where: str) -> None:
        if self._stream.read(len(wanted)) != wanted:
            raise Damaged(f"this backup is cut or changed at {where}; take another one")

    def _chunks(self, member: Member) -> Iterator[bytes]:
        left = member.size
        while left:
            chunk = self._stream.read(min(left, CHUNK))
            if not chunk:
                raise Damaged(f"this backup is cut in {member.name}; take another one")
            left -= len(chunk)
            yield chunk


def _check(manifest: Manifest) -> None:
    """Names come from our own hand here, and are still not trusted with a file system."""
    if manifest.format != FORMAT:
        raise Damaged(f"this backup has the format {manifest.format!r}; a newer program wrote it, use that one")
    names = [member.name for member in manifest.files]
    strange = [member for member in manifest.files if not NAME.fullmatch(member.name) or member.size < 0]
    if strange or len(set(names)) != len(names) or STATE not in names:
        raise Damaged("the manifest of this backup names files that no backup has")


def new_file(file: FilePath) -> BinaryIO:
    """A new file of mode 0600, opened for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(file, flags, 0o600), "wb")


def durable(stream: BinaryIO) -> None:
    """Make what was written survive a power cut."""
    stream.flush()
    os.fsync(stream.fileno())


def sync_folder(folder: FilePath) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def must_be_outside(place: FilePath, doing: str) -> None:
    """Refuse to make something below any data folder; ``doing`` says what would be done. Raises InvalidValue."""
    for above in place.resolve().parents:
        if (above / STATE).exists():
            raise InvalidValue(f"{above} is a data folder; {doing} beside it, not into it")
