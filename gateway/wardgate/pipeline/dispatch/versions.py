"""Which version a request means: ordinals, ids and stages, over stores that number versions and stores that do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from wardgate.mounts import Mount
from wardgate.spi.errors import Unavailable, Unsupported, VersionNotFound
from wardgate.spi.operations.secrets import Absent, Ordinal, Selector, VersionId
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, VersionInfo


class Ledger(Protocol):
    """Ordinals of versions in stores that do not number them; each assigned once, durable before the answer."""

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        """The ordinal of that version, assigning the next one at first sight."""

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        """The store's id of that ordinal, or None when it was never assigned."""


class Versions:
    """Translates between what a request may say of a version and the id one store knows it by.

    ``path`` is within the mount.
    """

    __slots__ = ("_ledger", "_mount", "path")

    def __init__(self, mount: Mount, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._mount = mount
        self._ledger = ledger

    async def id_of(self, selector: Selector) -> str:
        """The store's id of the version selected.

        Raises:
            VersionNotFound: nothing is selected by it.
            Unsupported: a stage, in a store that keeps none.
        """
        if isinstance(selector, VersionId):
            return selector.id
        if isinstance(selector, Ordinal):
            return self._id_of_ordinal(selector.number)
        backend = self._mount.backend
        if backend is None or not backend.capabilities.stages:
            raise Unsupported(f"mount {self._mount.prefix}/ keeps no stages")
        for info in (await backend.describe(self.path)).versions:
            if selector.name in info.stages:
                return info.id
        raise VersionNotFound("no version is in that stage")

    async def ids_of(self, selectors: tuple[Selector, ...]) -> list[str]:
        """The ids of the versions selected; those that never were are left out, since nothing is to be done to them."""
        found = []
        for selector in selectors:
            try:
                found.append(await self.id_of(selector))
            except VersionNotFound:
                continue
        return found

    async def expected(self, expect: Ordinal | VersionId | Absent | None) -> Expect | None:
        """The compare-and-set a backend understands. An ordinal that never was can match nothing, as it should."""
        if expect is None:
            return None
        if isinstance(expect, Absent):
            return Expect(None)
        try:
            return Expect(await self.id_of(expect))
        except VersionNotFound:
            return Expect("")

    async def numbered(self, info: VersionInfo) -> VersionInfo:
        """The same information with its ordinal, from the ledger where the store does not number versions."""
        if self._mount.capabilities.ordinals:
            if not info.ordinal:
                raise Unavailable(f"mount {self._mount.prefix}/ promised ordinals and gave none")
            return info
        return replace(info, ordinal=await self._ledger.ordinal(self._mount.id, str(self.path), info.id))

    def _id_of_ordinal(self, number: int) -> str:
        if self._mount.capabilities.ordinals:
            return str(number)
        version = self._ledger.version(self._mount.id, str(self.path), number)
        if version is None:
            raise VersionNotFound("the secret has no such version")
        return version
