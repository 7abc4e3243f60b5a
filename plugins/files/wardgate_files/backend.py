"""A folder of age-encrypted files as a store: the secret ``team/database`` is the file ``team/database.age``."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path as FilePath
from typing import IO, Any, TypeVar

import pyrage  # type: ignore[import-untyped]
from wardgate.spi import pages
from wardgate.spi.backend import Backend, Health
from wardgate.spi.errors import (
    InvalidValue,
    Malformed,
    OutcomeUnknown,
    TooLarge,
    Unavailable,
    Unsupported,
    WardgateError,
)
from wardgate.spi.path import ROOT, Path
from wardgate.spi.threads import Threads
from wardgate.spi.values import BYTES, JSON, TEXT, Entry, Expect, Page, SecretVersion, Value, VersionInfo

from wardgate_files import errors
from wardgate_files.declaration import DECLARATION
from wardgate_files.options import Keys

T = TypeVar("T")
ENDING = ".age"
FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a named pipe would hold the thread for ever


class FilesBackend(Backend):
    """See the module. Several gateways, and people with age's own tool, can share a folder."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, folder: str, keys: Keys) -> None:
        self._folder = folder
        self._identities, self._recipients = keys
        self._threads = Threads("wardgate-files", 8)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Decrypt the file."""
        if version is not None:
            raise Unsupported("a file holds one version alone")
        return await self._run(self._read, path)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Encrypt into a new file and put it in the old one's place: a reader sees the one or the other."""
        if expect is not None:
            raise Unsupported("a file is replaced whatever it holds")
        if len(value.data) > self.capabilities.max_value_bytes:
            raise TooLarge(f"the value is larger than the {self.capabilities.max_value_bytes} bytes of this store")
        return await self._run(self._write, path, value.data)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of a folder. What is no secret's file, and links, are left out."""
        return await self._run(self._list, folder, pages.position(cursor), limit)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Unlink the file. Its folder stays: somebody may be about to write there."""
        if versions is not None:
            raise Unsupported("a file holds one version alone")
        await self._run(self._delete, path)

    async def health(self) -> Health:
        """Whether the folder is there."""
        try:
            there = await self._run(FilePath(self._folder).is_dir)
        except WardgateError as error:  # of a mount that is closed, or has its hands full
            return Health(ok=False, detail=error.message)
        return Health(ok=there, detail="the folder is there" if there else errors.NO_FOLDER)

    async def close(self) -> None:
        """Give back the threads."""
        self._threads.close()

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await self._threads.run(work, *arguments)
        except OSError as problem:
            told = errors.of(problem)
        raise told  # outside of the handler: a file system's error names a file

    def _read(self, path: Path) -> SecretVersion:
        with (
            self._opened(path) as (folder, name),
            open(name, "rb", opener=lambda name, _: os.open(name, READ, dir_fd=folder)) as file,
        ):
            sealed = file.read(2 * self.capabilities.max_value_bytes) or b""  # age adds a line for each recipient
            info = _info(sealed, file)
        with suppress(pyrage.DecryptError):
            plain = Value(pyrage.decrypt(sealed, self._identities))
            kind = JSON if plain.fields() is not None else TEXT if plain.text() is not None else BYTES
            return SecretVersion(info, Value(plain.data, kind))
        raise Unavailable.of_one(errors.UNREADABLE)

    def _write(self, path: Path, data: bytes) -> VersionInfo:
        sealed = pyrage.encrypt(data, self._recipients)
        unfinished = f".new-{secrets.token_hex(8)}"
        with self._opened(path, make=True) as (folder, name):
            try:
                with open(unfinished, "xb", opener=partial(os.open, mode=0o600, dir_fd=folder)) as file:
                    file.write(sealed)
                    file.flush()
                    os.fsync(file)
                    info = _info(sealed, file)
                os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                with suppress(OSError):
                    os.unlink(unfinished, dir_fd=folder)
                raise
            _make_durable(folder)
        return info

    def _list(self, folder: Path, after: Entry | None, limit: int) -> Page:
        found = set()
        with suppress(FileNotFoundError), self._opened(folder.child("*")) as (handle, _), os.scandir(handle) as items:
            for item in items:
                is_folder = item.is_dir(follow_symlinks=False)
                if is_folder != item.name.endswith(ENDING) and not item.is_symlink():
                    with suppress(Malformed):  # a name that no path can have
                        found.add(Entry(str(ROOT.child(item.name.removesuffix(ENDING))), folder=is_folder))
        return pages.cut(found, after, limit)

    def _delete(self, path: Path) -> None:
        with self._opened(path) as (folder, name):
            os.unlink(name, dir_fd=folder)
            _make_durable(folder)

    @contextmanager
    def _opened(self, path: Path, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The secret's folder, opened one below the other and through no link, so that none leads out; and its file."""
        if not path.segments or any(name.endswith(ENDING) for name in path.segments[:-1]):
            raise InvalidValue(errors.NO_NAME) if make else OSError(errno.ENOENT, "no file can be there")
        if not FilePath(self._folder).is_dir():
            raise Unavailable(errors.NO_FOLDER)
        handle = os.open(self._folder, FOLDER)
        try:
            for name in path.segments[:-1]:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=handle)
                        os.fsync(handle)
                above, handle = handle, os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=handle)
                os.close(above)
            yield handle, path.segments[-1] + ENDING
        except OSError as problem:
            if make or problem.errno != errno.ENAMETOOLONG:
                raise
            raise FileNotFoundError(errno.ENOENT, "no file can be there") from None
        finally:
            os.close(handle)


def _make_durable(folder: int) -> None:
    with suppress(OSError):
        os.fsync(folder)
        return
    raise OutcomeUnknown(errors.NOT_DURABLE)


def _info(sealed: bytes, file: IO[bytes]) -> VersionInfo:
    return VersionInfo(id=hashlib.sha256(sealed).hexdigest(), created_at=os.fstat(file.fileno()).st_mtime_ns)
