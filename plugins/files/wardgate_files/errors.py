"""The one table from what a file system or age does to the closed list; no name and no text of theirs passes on."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from wardgate.spi.errors import OutcomeUnknown, PermissionDenied, TooLarge, Unavailable, WardgateError

LINK = "a symbolic link, or something else that is no folder or file, stands at that path; it is not followed"
DENIED = "the file system does not allow the gateway's user to do this"
FULL = "the file system has no room left"
BY_NUMBER: Mapping[int, tuple[type[WardgateError], str]] = {
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
UNREADABLE = "the file is not one of age's that this mount's identity opens; encrypt it for the mount's recipients"


def of(problem: OSError, *, changed: bool = False) -> WardgateError:
    """The error that a failed call stands for. ``changed``: the new state is visible, and may not be durable."""
    if changed:
        return OutcomeUnknown("the change was made and may not outlive a power cut: read before you repeat it")
    kind, message = BY_NUMBER.get(
        problem.errno or 0, (Unavailable, "the file system failed; see the machine's own log")
    )
    return kind(message)


def unreadable() -> WardgateError:
    """The error of a file that does not open."""
    return Unavailable(UNREADABLE)
