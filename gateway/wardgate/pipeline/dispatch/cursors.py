"""Cursors of pages: what a store gives holds names, so a caller only ever sees it sealed."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Final

from wardgate.mounts import Mount
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.operations.secrets import ListSecrets, ScanSecrets
from wardgate.spi.services import Keyring, SealedMessage
from wardgate.spi.values import Page

_WRAPPED_BYTES: Final = 118
"""Length of a wrapped key in the envelope's layout; the ciphertext follows it."""
_MAX_CURSOR: Final = 32_768
_PURPOSES: Final = {ListSecrets: b"cursor", ScanSecrets: b"scan"}

Listing = ListSecrets | ScanSecrets


class Cursors:
    """Seals and opens cursors, each bound to its mount, folder and kind of list: it is of no use anywhere else.

    Args:
        keyring: the keys of a mount's namespace.
    """

    def __init__(self, keyring: Callable[[Mount], Keyring]) -> None:
        self._keyring = keyring

    def opened(self, operation: Listing, mount: Mount) -> Listing:
        """The operation with the store's own cursor. Raises Malformed for one that is not this folder's."""
        if operation.cursor is None:
            return operation
        try:
            raw = base64.urlsafe_b64decode(operation.cursor[:_MAX_CURSOR].encode("ascii"))
            message = SealedMessage(raw[:_WRAPPED_BYTES], raw[_WRAPPED_BYTES:])
            cursor = self._keyring(mount).open(message, data=_bound(operation, mount), key=()).decode()
        except (ValueError, InvalidValue):
            raise Malformed("the cursor is not one of this folder's; begin again without it") from None
        return dataclasses.replace(operation, cursor=cursor)

    def sealed(self, page: Page, operation: Listing, mount: Mount) -> Page:
        """The page with its cursor as a caller may see it."""
        if page.cursor is None:
            return page
        message = self._keyring(mount).seal(page.cursor.encode(), data=_bound(operation, mount), key=())
        cursor = base64.urlsafe_b64encode(message.wrapped_key + message.ciphertext).decode()
        return dataclasses.replace(page, cursor=cursor)


def _bound(operation: Listing, mount: Mount) -> tuple[bytes, bytes, bytes]:
    return _PURPOSES[type(operation)], mount.id.encode(), str(operation.path).encode()
