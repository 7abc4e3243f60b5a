"""What other hands changed, or a disk damaged: a line in the log, and an error that is no fault of the caller's."""

from __future__ import annotations

import logging
from typing import NoReturn

from wardgate.spi.errors import Unavailable

_log = logging.getLogger(__name__)
_LONGEST = 256
_ONE = "this secret was changed outside the gateway, or is damaged; restore it from a backup"
_SETTINGS = "the settings of this mount were changed outside the gateway, or are damaged; restore them from a backup"


def damaged(store: str, place: bytes) -> NoReturn:
    """Refuse what is stored at a place of a store (mount), and log that, with the place and nothing that is there.

    The store answers, and every other secret can be read: the error is of one. The root's place holds the settings of
    the mount itself.
    """
    path = place.decode("utf-8", "backslashreplace").replace("\0", "/")
    what = f"the secret {path[:_LONGEST]!r}" if place else "the settings"
    message = "%s of the mount %s: changed outside the gateway, or damaged, and refused"
    _log.error(message, what, store, extra={"event": "state_tampered"})
    raise Unavailable.of_one(_ONE if place else _SETTINGS)
