"""What a secret takes more than one request for, and why one is not there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from wardgate.spi.errors import (
    Gone,
    PermissionDenied,
    SecretNotFound,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import SecretInfo, SecretVersion, VersionInfo, VersionState

from wardgate_azure import tags
from wardgate_azure.client import PAGE, Client
from wardgate_azure.errors import DELETED, DISABLED, AnotherServer
from wardgate_azure.names import NAMES
from wardgate_azure.values import value_of

MAX_PAGES = 20_000
"""Of one list: half a million names."""


class Secrets:
    """The secrets of one vault, by their names there."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def version(self, name: str, version: str) -> SecretVersion:
        """The version of this id. Raises SecretNotFound, VersionNotFound and Gone."""
        try:
            known = await self.versions(name)
        except Gone as gone:
            raise _of_version(gone, version) from None
        one = next((one for one in known if one.version == version), None)
        if one is None:
            raise VersionNotFound
        told = tags.info(one, tags.stages(known)[version])
        try:
            found = await self._client.ask(lambda sdk: sdk.get_secret(name, version))
        except Gone:
            raise Gone(DISABLED, info=told) from None
        return SecretVersion(told, value_of(found), tags.labels_of(known[-1].tags))

    async def info(self, name: str) -> SecretInfo:
        """All versions, oldest first; of a deleted secret the newest."""
        try:
            known = await self.versions(name)
        except Gone as gone:
            if gone.info is None:
                raise
            told = gone.info
            return SecretInfo(told, (told,), created_at=told.created_at, updated_at=told.deleted_at or told.created_at)
        named = tags.stages(known)
        infos = tuple(tags.info(one, named[one.version]) for one in known)
        return SecretInfo(
            current=infos[-1],
            versions=infos,
            created_at=min(told.created_at for told in infos),
            updated_at=max(tags.nanoseconds(one.updated_on or one.created_on) for one in known),
            labels=tags.labels_of(known[-1].tags),
        )

    async def newest(self, name: str) -> Any:
        """The properties of the newest version. Raises SecretNotFound, whether it never was or is deleted."""
        try:
            return (await self._client.ask(lambda sdk: sdk.get_secret(name))).properties
        except Gone:  # it is disabled, which a list tells and a read does not
            return (await self.versions(name))[-1]

    async def versions(self, name: str) -> list[Any]:
        """The properties of all versions, oldest first; at least one. Raises SecretNotFound and Gone."""

        async def all_of(sdk: Any) -> list[Any]:
            return await _of_all_pages(sdk.list_properties_of_secret_versions(name, max_page_size=PAGE))

        try:
            known = tags.in_order(await self._client.ask(all_of, long=True))
        except SecretNotFound:
            known = []
        if not known:
            raise await self.absent(name)
        if tags.unclear(known):
            with contextlib.suppress(Gone):  # the newest is disabled, and which it is stays a guess
                newest = await self._client.ask(lambda sdk: sdk.get_secret(name))
                known.sort(key=lambda one: one.version == newest.properties.version)
        return known

    async def paths(self) -> Iterable[Path]:
        """Every secret that a path can name; made as they are gone through, which is not on the loop."""

        async def names(sdk: Any) -> list[str]:
            return [one.name for one in await _of_all_pages(sdk.list_properties_of_secrets(max_page_size=PAGE))]

        found = await self._client.ask(names, long=True)
        return (path for name in found if (path := NAMES.path_of(name)) is not None)

    async def absent(self, name: str) -> WardgateError:
        """Why there is no live secret of this name."""
        return await self.deleted(name) or SecretNotFound()

    async def deleted(self, name: str) -> Gone | None:
        """What is told of a secret that is deleted and could be recovered; None of any other."""
        try:
            found = await self._client.ask(lambda sdk: sdk.get_deleted_secret(name))
        except (SecretNotFound, PermissionDenied, Unsupported):  # the last is a vault of old, which keeps nothing back
            return None
        deleted_at = tags.nanoseconds(found.deleted_date) or self._clock.now()
        return Gone(DELETED, info=tags.info(found.properties, set(), deleted_at=deleted_at))

    async def answers(self, call: Callable[[Any], Awaitable[object]]) -> bool:
        """Whether what a call asks for is there, if only not to be seen."""
        try:
            await self._client.ask(call)
        except SecretNotFound:
            return False
        except (Gone, PermissionDenied):
            pass
        return True


async def _of_all_pages(listed: Any) -> list[Any]:
    """What all pages of a list hold. Raises AnotherServer where they go round, or on and on."""
    found: list[Any] = []
    seen: set[str] = set()
    pages = listed.by_page()
    async for page in pages:
        found += [one async for one in page]
        following = pages.continuation_token
        if following is None:
            break
        if following in seen or len(seen) == MAX_PAGES:
            raise AnotherServer
        seen.add(following)
    return found


def _of_version(gone: Gone, version: str) -> Gone | VersionNotFound:
    if not re.fullmatch("[0-9a-f]{32}", version):
        return VersionNotFound()
    told = gone.info
    if told is None or told.id == version:
        return gone
    # A vault tells no more of an older version of what is deleted.
    return Gone(gone.message, info=VersionInfo(version, state=VersionState.DELETED, deleted_at=told.deleted_at))
