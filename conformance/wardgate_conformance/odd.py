"""A store unlike the others, so that no contract takes the shape of one vendor: the plugin ``_odd``.

Its versions are UUIDs, it holds bytes alone, it knows no metadata, no compare-and-set and no way back: a delete ends a
secret. One folder a secret, one file a version: several processes can share it. For tests; it encrypts nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from wardgate.spi import pages
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.errors import InvalidValue, SecretNotFound, Unsupported, VersionNotFound
from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.options import option
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import Entry, Expect, Page, SecretVersion, Value, VersionInfo

NAME = "name"
ABSENT = "there is no secret of that path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``odd``."""

    folder: str = option(help="where the secrets are kept, in plain; the parent must exist")


DECLARATION = Declaration(name="odd", capabilities=Capabilities(write=True, list=True, versions=True, delete=True))


class OddBackend(Backend):
    """See the module."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, folder: FilePath) -> None:
        self._folder = folder

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this UUID."""
        files = self._versions(path)
        if not files:
            raise SecretNotFound(ABSENT)
        for file in reversed(files):
            info = _info(file)
            if version in {None, info.id}:
                return SecretVersion(info=info, value=Value(file.read_bytes()))
        raise VersionNotFound("the secret has no such version")

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        if not path.segments:
            raise InvalidValue("the root is no secret")
        with self._locked():
            secret = self._secret(path)
            secret.mkdir(exist_ok=True)
            (secret / NAME).write_text(str(path), encoding="utf-8")
            newest = max((_written_at(file) for file in self._versions(path)), default=0)
            file = secret / f"{max(time.time_ns(), newest + 1)}.{uuid.uuid4()}"
            unfinished = secret / "unfinished"
            unfinished.write_bytes(value.data)
            unfinished.rename(file)
        return _info(file)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page; every page looks through the whole store."""
        after = pages.position(cursor)
        below = (path.below(folder).segments for path in self._paths() if path.starts_with(folder))
        entries = {Entry(rest[0], folder=len(rest) > 1) for rest in below if rest}
        return pages.cut(entries, after, limit)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """End the secret with all its versions."""
        if versions is not None:
            raise Unsupported("this store cannot delete single versions")
        with self._locked():
            shutil.rmtree(self._secret(path), ignore_errors=True)

    def _secret(self, path: Path) -> FilePath:
        # A secret's name is never a file's name.
        return self._folder / hashlib.sha256(str(path).encode()).hexdigest()

    def _versions(self, path: Path) -> tuple[FilePath, ...]:
        return tuple(sorted(self._secret(path).glob("*.*"), key=_written_at))

    def _paths(self) -> Iterator[Path]:
        for name in self._folder.glob(f"*/{NAME}"):
            yield Path.parse(name.read_text(encoding="utf-8"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _written_at(file: FilePath) -> int:
    return int(file.name.partition(".")[0])


def _info(file: FilePath) -> VersionInfo:
    return VersionInfo(id=file.name.partition(".")[2], created_at=_written_at(file))


def _open(options: Options, _: Services) -> OddBackend:
    folder = FilePath(options.folder)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        raise InvalidValue("option 'folder' cannot be used: its parent must exist and be writable") from None
    return OddBackend(folder)


BACKEND = BackendType(
    name="odd",
    help="a test store: UUID versions, bytes only, no metadata, no compare-and-set, no undelete",
    open=_open,
    options=Options,
    status="for tests",
    declarations=(DECLARATION,),
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The one kind of store."""
    return [BACKEND]
