"""Which version a request means: ordinals, ids and stages, over stores that number versions and stores that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

import msgspec

from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.added import STAGES
from wardgate.spi.errors import Unavailable, Unsupported, VersionNotFound
from wardgate.spi.operations.secrets import Absent, Ordinal, Selector, VersionId
from wardgate.spi.path import Path
from wardgate.spi.services import Keyring
from wardgate.spi.values import CURRENT, PREVIOUS, Expect, SecretVersion, Value, VersionInfo

_PURPOSE: Final = "version"
_DIGEST_BYTES: Final = 16


class Ledger(Protocol):
    """Ordinals of versions in stores that do not number them; each assigned once, durable before the answer."""

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        """The ordinal of that version, assigning the next one at first sight."""

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        """The store's id of that ordinal, or None when it was never assigned."""


class Versions:
    """Translates between what a request may say of a version and the id one store knows it by.

    ``path`` is within the mount. ``keyring``: the keys of a mount's namespace.
    """

    __slots__ = ("_keyring", "_ledger", "_mount", "path")

    def __init__(self, mount: Mount, path: Path, ledger: Ledger, keyring: Callable[[Mount], Keyring]) -> None:
        self.path = path
        self._keyring = keyring
        self._mount = mount
        self._ledger = ledger

    async def id_of(self, selector: Selector) -> str:
        """The store's id of the version selected.

        Raises:
            VersionNotFound: nothing is selected by it.
            Unsupported: a stage, in a store that keeps none; ``current`` and ``previous`` follow from numbers too.
        """
        if isinstance(selector, VersionId):
            return selector.id
        if isinstance(selector, Ordinal):
            return self._id_of_ordinal(selector.number)
        return await self._id_of_stage(selector.name)

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

    async def is_it(self, expect: VersionId, found: SecretVersion) -> bool:
        """Whether a version that was read is the one expected, and no later one of the same number."""
        if expect.id != found.info.id:
            return False
        return expect.mark is None or expect.mark == (await self.numbered(found.info, found.value)).mark()

    @property
    def embedded(self) -> bool:
        """Whether the store is the gateway's own storage."""
        return self._mount.embedded

    async def numbered(self, info: VersionInfo, value: Value | None = None) -> VersionInfo:
        """The same information with its ordinal, from the ledger where the store does not number versions.

        Numbers come again once a secret was destroyed: where the value is known, what tells it from others is added.
        The gateway's own storage tells everybody the time, which is enough; opaque ids are.
        """
        if self._mount.capabilities.ordinals:
            if not info.ordinal:
                raise Unavailable(f"mount {self._mount.prefix}/ promised ordinals and gave none")
            if value is None or self._mount.embedded:
                return info
            return replace(info, digest=partial(self._digest, info.id, value))
        ordinal = await self._ledger.ordinal(self._mount.id, str(self.path), info.id)
        return replace(info, ordinal=ordinal, digest=str)  # which is empty

    async def _id_of_stage(self, stage: str) -> str:
        backend, can = self._mount.backend, self._mount.capabilities
        follows = STAGES.over(can) and stage in {CURRENT, PREVIOUS}
        if backend is None or not (can.stages or follows):
            raise Unsupported(f"mount {self._mount.prefix}/ keeps no stages")
        known = await backend.describe(self.path)
        if can.stages:
            found = [info for info in known.versions if stage in info.stages]
        elif known.current is None or stage == CURRENT:
            found = [known.current] if known.current else []
        else:
            found = [info for info in known.versions if info.ordinal < known.current.ordinal][-1:]
        if not found:
            raise VersionNotFound("no version is in that stage")
        return found[0].id

    def _digest(self, version: str, value: Value) -> str:
        """Keyed, so that it tells nothing of the value. What was written and what is then read have the same one."""
        data = value.data if self._mount.capabilities.media_types else _equal(value.data)
        fields = (self._mount.id.encode(), str(self.path).encode(), version.encode(), data)
        return self._keyring(self._mount).mac(_PURPOSE, fields)[:_DIGEST_BYTES].hex()

    def _id_of_ordinal(self, number: int) -> str:
        if self._mount.capabilities.ordinals:
            return str(number)
        version = self._ledger.version(self._mount.id, str(self.path), number)
        if version is None:
            raise VersionNotFound("the secret has no such version")
        return version


def _equal(data: bytes) -> bytes:
    """One text for all JSON objects that are equal: a store of maps gives an object back in other words."""
    if not data.lstrip().startswith(b"{"):
        return data
    try:
        return msgspec.json.encode(msgspec.json.decode(data), order="sorted")
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return data
