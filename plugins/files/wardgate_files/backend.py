"""A folder of age-encrypted files as a store: one file a secret, ``team/database`` in ``team/database.age``.

Folders are opened one below the other and never through a symbolic link, so nothing leads out of the mount's own.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from wardgate.spi import pages
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.errors import InvalidValue, SecretNotFound, TooLarge, Unsupported, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.threads import Threads
from wardgate.spi.values import BYTES, JSON, TEXT, Entry, Expect, Page, SecretVersion, Value, VersionInfo

from wardgate_files import errors
from wardgate_files.names import ENDING, file_name, folder_name, segment_of
from wardgate_files.options import Keys, Options, load_keys

T = TypeVar("T")
_ONE = "a file holds the one version there is"
_NOTHING = "a file holds the value alone"
DECLARATION = Declaration(
    name="age files",
    # A path that short fits into one file name with its ending, however few segments it has.
    capabilities=Capabilities(write=True, list=True, delete=True, max_path_bytes=251),
    notes={
        "compare_and_set": "a file is replaced whatever it holds",
        "describe": _NOTHING,
        "labels": _NOTHING,
        "empty_secrets": _NOTHING,
        "settings": "there are none",
        "mount_settings": "there are none",
        "versions": _ONE,
        "ordinals": "a version's id is the SHA-256 of its file; the gateway's ledger numbers what it sees",
        "delete_versions": _ONE,
        "undelete": "a file that is deleted is gone",
        "destroy": "a delete is final already",
        "destroy_versions": _ONE,
        "stages": _ONE,
        "move_current": _ONE,
        "expiry": _NOTHING,
        "media_types": "told from the bytes: a JSON object, text, or neither",
    },
)
THREADS = 8
TRIES = 16
"""How often a write makes its folders anew when deletes take them away as empty."""
OVERHEAD_BYTES = 65_536
"""What age may add to a value: a header with a line for each recipient."""
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_NOFOLLOW | os.O_CLOEXEC
ABSENT = "there is no secret of that path"


class FilesBackend(Backend):
    """See the module. Several gateways, and people with age's own tool, can share a folder."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, options: Options, keys: Keys) -> None:
        self._folder = options.folder
        self._keys = keys
        self._threads = Threads("wardgate-files", THREADS)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Decrypt the file."""
        if version is not None:
            raise Unsupported("this store keeps one version of a secret alone")
        return await self._run(self._read, path)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Encrypt into a new file and put it in the old one's place: a reader sees the one or the other."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        if not path.segments:
            raise InvalidValue("the root is no secret")
        if len(value.data) > self.capabilities.max_value_bytes:
            raise TooLarge(f"the value is larger than the {self.capabilities.max_value_bytes} bytes of this store")
        return await self._run(self._write, path, value)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of a folder; files whose names stand for no path are left out."""
        after = pages.position(cursor)
        return pages.cut(await self._run(self._list, folder), after, limit)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Unlink the file, and the folders that are empty then."""
        if versions is not None:
            raise Unsupported("this store cannot delete single versions")
        await self._run(self._delete, path)

    async def health(self) -> Health:
        """Whether the folder is there."""
        try:
            await self._run(lambda: os.close(self._open(())))
        except WardgateError as problem:
            return Health(ok=False, detail=problem.message)
        return Health(ok=True, detail="the folder is there")

    async def probe(self) -> Sequence[Permission]:
        """Whether the gateway's user may look into the folder and change it."""
        await super().probe()
        return (
            Permission("read the folder", frozenset({"read", "list"}), os.access(self._folder, os.R_OK | os.X_OK)),
            Permission("write to the folder", frozenset({"write", "delete"}), os.access(self._folder, os.W_OK)),
        )

    async def close(self) -> None:
        """Give back the threads."""
        self._threads.close()

    async def _run(self, work: Callable[..., T], *args: Any) -> T:
        try:
            return await self._threads.run(work, *args)
        except OSError as problem:
            told = SecretNotFound(ABSENT) if problem.errno == errno.ENOENT else errors.of(problem)
        # Outside of the handler: a file system's error holds a file's name.
        raise told

    def _open(self, segments: Sequence[str], *, make: bool = False) -> int:
        """A handle of the folder, which the caller closes."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for segment in segments:
            above = handle
            try:
                name = folder_name(segment)
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=above)
                        os.fsync(above)
                handle = os.open(name, FOLDER, dir_fd=above)
            finally:
                os.close(above)
        return handle

    @contextmanager
    def _opened(self, segments: Sequence[str], *, make: bool = False) -> Iterator[int]:
        handle = self._open(segments, make=make)
        try:
            yield handle
        finally:
            os.close(handle)

    def _read(self, path: Path) -> SecretVersion:
        if not path.segments:
            raise SecretNotFound(ABSENT)
        with self._opened(path.segments[:-1]) as folder:
            name = file_name(path.segments[-1])
            # Without O_NONBLOCK a named pipe would hold the thread until somebody writes to it.
            with open(os.open(name, os.O_RDONLY | os.O_NONBLOCK | FILE, dir_fd=folder), "rb") as file:  # noqa: PTH123
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(errno.ELOOP, "")
                sealed = file.read(self.capabilities.max_value_bytes + OVERHEAD_BYTES + 1)
        data = self._decrypted(sealed)
        return SecretVersion(info=_info(sealed, status.st_mtime_ns), value=_value(data))

    def _decrypted(self, sealed: bytes) -> bytes:
        import pyrage  # type: ignore[import-untyped]  # noqa: PLC0415  # only a mount of this type needs it

        data = None
        if len(sealed) <= self.capabilities.max_value_bytes + OVERHEAD_BYTES:
            with suppress(pyrage.DecryptError):
                data = bytes(pyrage.decrypt(sealed, self._keys.identities))
        if data is None:
            raise errors.unreadable()
        return data

    def _write(self, path: Path, value: Value) -> VersionInfo:
        import pyrage  # noqa: PLC0415  # only a mount of this type needs it

        name = file_name(path.segments[-1])
        sealed = pyrage.encrypt(value.data, self._keys.recipients)
        for turn in range(TRIES):
            try:
                with self._opened(path.segments[:-1], make=True) as folder:
                    return _replace(folder, name, sealed)
            except FileNotFoundError:
                if turn == TRIES - 1 or not os.path.isdir(self._folder):  # noqa: PTH112
                    raise
        raise AssertionError  # the last turn has raised or returned

    def _list(self, folder: Path) -> set[Entry]:
        entries = set()
        try:
            with self._opened(folder.segments) as handle, os.scandir(handle) as found:
                for one in found:
                    is_folder = one.is_dir(follow_symlinks=False)
                    if is_folder == one.name.endswith(ENDING) or one.is_symlink():
                        continue
                    segment = segment_of(one.name if is_folder else one.name.removesuffix(ENDING))
                    if segment is not None:
                        entries.add(Entry(segment, folder=is_folder))
        except (FileNotFoundError, TooLarge):
            # An unknown folder is empty; a mount's own that is gone is not.
            os.close(self._open(()))
        return entries

    def _delete(self, path: Path) -> None:
        with self._opened(path.segments[:-1]) as folder:
            os.unlink(file_name(path.segments[-1]), dir_fd=folder)
            _durable(folder)
        for depth in range(len(path.segments) - 1, 0, -1):
            try:
                with self._opened(path.segments[: depth - 1]) as above:
                    os.rmdir(folder_name(path.segments[depth - 1]), dir_fd=above)
            except OSError:
                return  # it holds something, or somebody else was quicker


def _replace(folder: int, name: str, sealed: bytes) -> VersionInfo:
    # No secret's file begins so: an escape needs two digits.
    unfinished = f"%new-{secrets.token_hex(8)}"
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FILE, 0o600, dir_fd=folder), "wb") as file:  # noqa: PTH123
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
            written_at = os.fstat(file.fileno()).st_mtime_ns
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=folder)
        raise
    _durable(folder)
    return _info(sealed, written_at)


def _durable(folder: int) -> None:
    """What was changed in the folder outlives a power cut."""
    told = None
    try:
        os.fsync(folder)
    except OSError as problem:
        told = errors.of(problem, changed=True)
    if told is not None:
        raise told


def _info(sealed: bytes, written_at: int) -> VersionInfo:
    return VersionInfo(id=hashlib.sha256(sealed).hexdigest(), created_at=written_at)


def _value(data: bytes) -> Value:
    value = Value(data, BYTES)
    if value.fields() is not None:
        return Value(data, JSON)
    return Value(data, TEXT) if value.text() is not None else value


def open_files(options: Options, _: Services) -> FilesBackend:
    """Open a folder. Raises InvalidValue when it is none, or a key file cannot be used."""
    if not os.path.isdir(options.folder):  # noqa: PTH112  # beside the other calls of os
        raise InvalidValue("option 'folder' names no folder; make it first")
    return FilesBackend(options, load_keys(options))
