"""The durable sink: one growing file of one shard, the next one when it is full, and a reserve on the disk."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from pathlib import Path as FilePath
from typing import Final

from wardgate.spi.errors import Unavailable

_NAME: Final = re.compile(r"shard-(\d+)-(\d{6,})\.jsonl")
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What a full disk says."""


class SinkRetired(Exception):
    """The file's state is no longer known: a sync failed, or a half write could not be cut back. Never tried again."""


class Disk:
    """The few system calls that write; tests put their faults here."""

    def create(self, file: FilePath) -> int:
        """Make a new file, mode 0600, and make its name durable."""
        descriptor = self.open(file, os.O_CREAT | os.O_EXCL)
        self.sync_folder(file.parent)
        return descriptor

    def make_folder(self, folder: FilePath) -> None:
        """Make it, mode 0700, and what is missing above it, and make their names durable."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        for each in reversed(missing):
            self.sync_folder(each.parent)

    def sync_folder(self, folder: FilePath) -> None:
        """Make the names in it survive a power cut."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open(self, file: FilePath, flags: int = 0) -> int:
        """Open for appending."""
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Append; may write less than asked."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Make what was written survive a power cut."""
        os.fdatasync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file back."""
        os.ftruncate(descriptor, size)

    def allocate(self, descriptor: int, size: int) -> None:
        """Claim room on the disk."""
        os.posix_fallocate(descriptor, 0, size)


def name_of(slot: int, number: int) -> str:
    """The name of a shard's file."""
    return f"shard-{slot}-{number:06d}.jsonl"


def files_of(folder: FilePath) -> dict[int, dict[int, FilePath]]:
    """Every shard's files in the folder, by slot and then by number, in order."""
    found: dict[int, dict[int, FilePath]] = {}
    matches = [(match, file) for file in folder.iterdir() if (match := _NAME.fullmatch(file.name))]
    for match, file in sorted(matches, key=lambda pair: (int(pair[0][1]), int(pair[0][2]))):
        found.setdefault(int(match[1]), {})[int(match[2])] = file
    return found


class FileSink:
    """Appends to one file. ``size`` is where its last durable record ends."""

    def __init__(self, folder: FilePath, slot: int, disk: Disk, *, synced: bool, reserve: int) -> None:
        self.folder = folder
        self.file = folder
        self.number = 0
        self.size = 0
        self._slot = slot
        self._disk = disk
        self._synced = synced
        self._reserve = reserve
        self._reserve_file = folder / f"shard-{slot}.reserve"
        self._descriptor = -1
        self._lock = -1

    def claim(self) -> None:
        """Make the folder (0700) and take the shard for this process. Raises Unavailable."""
        try:
            self._disk.make_folder(self.folder)
            if stat.S_IMODE(self.folder.stat().st_mode) != stat.S_IRWXU:
                self.folder.chmod(stat.S_IRWXU)
            lock = self.folder / f"shard-{self._slot}.lock"
            self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another process writes audit shard {self._slot} in {self.folder}; stop it") from None
        except OSError as error:
            raise Unavailable(f"the audit folder {self.folder} cannot be used: {error.strerror}") from None

    def resume(self, number: int, size: int) -> None:
        """Go on in an existing file, which ends at ``size``; what is behind is cut off."""
        self.file = self.folder / name_of(self._slot, number)
        self._descriptor = self._disk.open(self.file)
        self.number, self.size = number, size
        self._cut_back()

    def turn(self, number: int, header: bytes) -> None:
        """Begin file ``number`` with ``header``, durably; on OSError the file before stays the current one."""
        before = (self._descriptor, self.file, self.number, self.size)
        file = self.folder / name_of(self._slot, number)
        descriptor = self._disk.create(file)
        self._descriptor, self.file, self.number, self.size = descriptor, file, number, 0
        try:
            self.append(header)
        except BaseException:
            self._descriptor, self.file, self.number, self.size = before
            os.close(descriptor)
            file.unlink(missing_ok=True)
            raise
        if before[0] >= 0:
            os.close(before[0])

    def append(self, data: bytes) -> None:
        """Write and sync.

        Raises:
            OSError: the write failed and was cut back; it can be tried again.
            SinkRetired: see there.
        """
        written = 0
        try:
            while written < len(data):
                written += self._disk.write(self._descriptor, memoryview(data)[written:] if written else data)
        except OSError:
            self._cut_back()
            raise
        if self._synced:
            try:
                self._disk.sync(self._descriptor)
            except OSError as error:
                # The kernel reports a lost page once and then forgets it: a second sync would lie.
                raise SinkRetired(f"syncing {self.file.name} failed: {error.strerror}") from None
        self.size += len(data)

    def displaced(self) -> str:
        """What happened to the file behind the gateway's back, in a few words, or nothing."""
        try:
            seen = os.lstat(self.file)
        except OSError:
            return "was removed"
        own = os.fstat(self._descriptor)
        if (seen.st_dev, seen.st_ino) != (own.st_dev, own.st_ino):
            return "was replaced"
        return "" if seen.st_size == self.size else "was changed in size"

    def keep_back(self) -> bool:
        """Claim the reserve unless it is held; False when the disk has no room for it."""
        with contextlib.suppress(OSError):
            if self._reserve_file.stat(follow_symlinks=False).st_size >= self._reserve:
                return True
        if not self._reserve:
            return True
        try:
            descriptor = self._disk.open(self._reserve_file, os.O_CREAT)
        except OSError as error:
            return error.errno not in FULL
        try:
            self._disk.allocate(descriptor, self._reserve)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
            # A file system that cannot allocate has no reserve; that alone must not stop the service.
            return error.errno not in FULL
        finally:
            os.close(descriptor)
        return True

    def give_up_reserve(self) -> None:
        """Free the reserve's room, for the records that must still be written."""
        self._reserve_file.unlink(missing_ok=True)

    def remove(self, number: int) -> None:
        """Delete an old file; one that cannot be deleted stays, which harms nothing."""
        with contextlib.suppress(OSError):
            (self.folder / name_of(self._slot, number)).unlink()

    def close(self) -> None:
        """Give back the file and the shard."""
        for descriptor in (self._descriptor, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._lock = -1

    def _cut_back(self) -> None:
        try:
            self._disk.truncate(self._descriptor, self.size)
        except OSError as error:
            raise SinkRetired(f"a half write to {self.file.name} could not be cut back: {error.strerror}") from None
