"""The one table from what a file system does to the closed list; no name and no text of its own passes on."""

from __future__ import annotations

import errno

from wardgate.spi.errors import PermissionDenied, SecretNotFound, TooLarge, Unavailable, WardgateError

NO_NAME = "a secret of this store has a name, and no folder above it has one that ends in .age, as files do"
NO_FOLDER = "the mount's folder is not there"
UNREADABLE = "the file is not one of age's that this mount's identity opens; encrypt it for the mount's recipients"
NOT_DURABLE = "the change was made and may not outlive a power cut: read before you repeat it"
LINK = "a symbolic link, or something else that is no folder or file, stands at that path; it is not followed"
DENIED = "the file system does not allow the gateway's user to do this"
FULL = "the file system has no room left"
BY_NUMBER: dict[int, tuple[type[WardgateError], str]] = {
    errno.ENOENT: (SecretNotFound, "there is no secret of that path"),
    errno.EACCES: (PermissionDenied, DENIED),
    errno.EPERM: (PermissionDenied, DENIED),
    errno.EROFS: (PermissionDenied, "the file system can only be read"),
    errno.ELOOP: (PermissionDenied, LINK),
    errno.ENOTDIR: (PermissionDenied, LINK),
    errno.EISDIR: (PermissionDenied, LINK),
    errno.ENAMETOOLONG: (TooLarge, "the path takes a longer file name than the file system can hold"),
    errno.ENOSPC: (Unavailable, FULL),
    errno.EDQUOT: (Unavailable, FULL),
}


def of(problem: OSError) -> WardgateError:
    """The error that a failed call stands for; nothing was changed."""
    kind, message = BY_NUMBER.get(problem.errno or 0, (Unavailable, "the file system failed; see the machine's log"))
    return kind(message)
