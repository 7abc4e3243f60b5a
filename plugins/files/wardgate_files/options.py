"""What a mount of a folder of age files can be told, and the keys that its options name."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pyrage import IdentityError, RecipientError, x25519  # type: ignore[import-untyped]
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

MAX_KEY_FILE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``files``."""

    folder: str = option(help="the folder of the secrets")
    identity_file: str = option(
        help="age identities (AGE-SECRET-KEY-…) to read with; a file of the gateway's user alone"
    )
    recipients: str = option(
        help="age recipients (age1…) to write for beside the identity's own, with spaces between", default=""
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the files, and for whom they are closed."""

    identities: Sequence[Any] = field(repr=False)
    recipients: Sequence[Any] = field(repr=False)


def load_keys(options: Options) -> Keys:
    """Read the identities, whose own recipients are always among those to write for.

    Raises:
        InvalidValue: names the option, never what the file holds.
    """
    identities = recipients = None
    try:
        identities = [x25519.Identity.from_str(line) for line in _lines(options.identity_file)]
        recipients = [x25519.Recipient.from_str(word) for word in options.recipients.split()]
    except (OSError, UnicodeDecodeError, IdentityError, RecipientError):
        recipients = None
    # Outside of the handler: what failed could show a line of the file.
    if not identities:
        raise InvalidValue("option 'identity_file' names no file of X25519 identities, as age-keygen makes them")
    if recipients is None:
        raise InvalidValue("option 'recipients' holds what is no X25519 recipient (age1…)")
    return Keys(identities, [*(identity.to_public() for identity in identities), *recipients])


def _lines(name: str) -> list[str]:
    with FilePath(name).open("rb") as file:
        status = os.fstat(file.fileno())
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in {0, os.geteuid()}:
            raise InvalidValue("option 'identity_file' names a file that others may read: chmod 600 it, and own it")
        text = file.read(MAX_KEY_FILE_BYTES).decode()
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
