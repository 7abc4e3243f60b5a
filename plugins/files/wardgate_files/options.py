"""What a mount of a folder of age files can be told, and the keys that its options name."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

MAX_KEY_FILE_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``files``."""

    folder: str = option(help="the folder of the secrets; it must exist")
    identity_file: str = option(
        help="age identities (AGE-SECRET-KEY-…) to read with; a file of the gateway's user alone"
    )
    recipients_file: str | None = option(
        help="age recipients (age1…) to write for, the identity's own among them; else the identity's own alone",
        default=None,
    )


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the files, and for whom they are closed."""

    identities: Sequence[Any] = field(repr=False)
    recipients: Sequence[Any] = field(repr=False)


def load_keys(options: Options) -> Keys:
    """Read both files.

    Raises:
        InvalidValue: names the option, never what the file holds.
    """
    from pyrage import x25519  # type: ignore[import-untyped]  # noqa: PLC0415  # only a mount of this type needs it

    identities = _parsed(_lines(options.identity_file, "identity_file", private=True), x25519.Identity, "identity_file")
    own = [identity.to_public() for identity in identities]
    if options.recipients_file is None:
        return Keys(identities, own)
    recipients = _parsed(_lines(options.recipients_file, "recipients_file"), x25519.Recipient, "recipients_file")
    if not {str(one) for one in own} & {str(one) for one in recipients}:
        raise InvalidValue("option 'recipients_file' lacks the identity's own recipient: nothing written could be read")
    return Keys(identities, recipients)


def _lines(name: str, of: str, *, private: bool = False) -> list[str]:
    try:
        with FilePath(name).open("rb") as file:
            status = os.fstat(file.fileno())
            text = file.read(MAX_KEY_FILE_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        text = None
    if text is None:
        raise InvalidValue(f"option {of!r} names no file that can be read")
    if private and (stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in {0, os.geteuid()}):
        raise InvalidValue(f"option {of!r} names a file that others may read: chmod 600 it, and own it")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _parsed(lines: list[str], kind: Any, of: str) -> list[Any]:
    keys = []
    for line in lines:
        try:
            keys.append(kind.from_str(line))
        except Exception:  # noqa: BLE001  # the library's own kinds; what they say could hold the line
            keys.append(None)
    if not keys or None in keys:
        raise InvalidValue(f"option {of!r} names a file with a line that is no X25519 key of age's, or with none")
    return keys
