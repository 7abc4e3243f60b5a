"""What a mount of a folder of age files can be told, and the keys that its options name."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyrage import IdentityError, RecipientError, x25519  # type: ignore[import-untyped]
from wardgate.spi.checks import check_absolute, check_files
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

Keys = tuple[list[Any], list[Any]]
"""The identities that open the files, and the recipients that they are closed for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``files``."""

    folder: str = option(help="the folder of the secrets, as an absolute path")
    identity_file: str = option(
        help="age identities (AGE-SECRET-KEY-…) to read with; a file of the gateway's user alone"
    )
    recipients: str = option(
        help="age recipients (age1…) to write for beside the identity's own, with spaces between", default=""
    )


def load_keys(options: Options) -> Keys:
    """The identities, whose own recipients are among those to write for. Raises InvalidValue, which shows no key."""
    check_absolute(options, "folder")
    check_files(options, "identity_file")
    identities = recipients = None
    lines = _lines(options.identity_file)
    with suppress(IdentityError, RecipientError):
        identities = [x25519.Identity.from_str(line) for line in lines]
        recipients = [x25519.Recipient.from_str(word) for word in options.recipients.split()]
    if not identities:
        raise InvalidValue("option 'identity_file' names a file without X25519 identities, as age-keygen makes them")
    if recipients is None:
        raise InvalidValue("option 'recipients' holds what is no X25519 recipient (age1…)")
    return identities, [*(identity.to_public() for identity in identities), *recipients]


def _lines(name: str) -> list[str]:
    # A pipe would be waited for until somebody writes to it, and may have come in the place of the file that was there.
    with suppress(OSError), open(name, "rb", opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InvalidValue("option 'identity_file' names what is no file")
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in {0, os.geteuid()}:
            raise InvalidValue("option 'identity_file' names a file that others may read: chmod 600 it, and own it")
        text = file.read(65_536).decode(errors="replace")  # what is no text is no identity either
        return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    raise InvalidValue("option 'identity_file' names a file that the gateway's user cannot read: let it own the file")


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)
