"""What only asks: reading, listing, describing, and finding out why a secret is not there."""

from __future__ import annotations

import builtins
import contextlib
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    Gone,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    SecretNotFound,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.listing import Listing
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import Page, SecretInfo, SecretVersion, VersionInfo, VersionState

from wardgate_azure import tags
from wardgate_azure.client import PAGE, Client
from wardgate_azure.declaration import DECLARATION, NAMES, existing
from wardgate_azure.errors import ABSENT, DELETED, DISABLED
from wardgate_azure.values import value_of

NO_VERSION = "the secret has no such version"


class Reader(Backend):
    """One vault, to be asked."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._listing = Listing(self._paths, clock)
        self._last_mark = 0

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this id; the latter asks for the others too, for its stages."""
        name = existing(path)
        if version is not None:
            return await self._read_version(name, version)
        try:
            found = await self._client.ask(lambda sdk: sdk.get_secret(name))
        except SecretNotFound:
            found = None
        except Gone:
            raise Gone(DISABLED, info=(await self._describe(name)).current) from None
        if found is None:
            raise await self._absent(name)
        one = found.properties
        # Other versions have a say only where this one is marked: a newer mark elsewhere wins.
        marked = any(tag.startswith(tags.STAGE) for tag in one.tags or {})
        stages = tags.stages(await self._versions(name))[one.version] if marked else {tags.CURRENT}
        return SecretVersion(tags.info(one, stages), value_of(found), tags.labels_of(one.tags))

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """All versions, oldest first. Of a deleted secret a vault tells the newest alone."""
        return await self._describe(existing(path))

    async def health(self) -> Health:
        """Whether the vault answers and lets the credential look for a secret."""
        try:
            await self._client.ask(lambda sdk: sdk.get_secret(_nobody()))
        except SecretNotFound:
            pass
        except WardgateError as error:
            return Health(ok=False, detail=error.message)
        return Health(ok=True, detail="the store answers")

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right with a name that no secret has: what is allowed then finds nothing."""
        nobody = _nobody()

        async def names(sdk: Any) -> None:
            await anext(sdk.list_properties_of_secrets(max_page_size=1).by_page())

        asked: tuple[tuple[str, set[str], Callable[[], Awaitable[object]]], ...] = (
            ("get", {"read", "write", "labels", "delete"}, lambda: self._client.ask(
                lambda sdk: sdk.get_secret(nobody))),
            ("list", {"list", "describe", "labels", "versions", "stages"}, lambda: self._client.ask(names)),
            ("set", {"write"}, lambda: self._client.send("PUT", f"secrets/{nobody}", {})),
            ("update", {"labels", "stages"}, lambda: self._client.ask(
                lambda sdk: sdk.update_secret_properties(nobody, secrets.token_hex(16), tags={}))),
            ("delete", {"delete", "destroy"}, lambda: self._client.send("DELETE", f"secrets/{nobody}")),
            ("recover", {"undelete"}, lambda: self._client.send("POST", f"deletedsecrets/{nobody}/recover")),
            ("purge", {"destroy"}, lambda: self._client.send("DELETE", f"deletedsecrets/{nobody}")),
        )  # fmt: skip
        found, refusals = [], []
        for name, uses, ask in asked:
            refusal, granted = await _refusal(ask)
            found.append(Permission(name, frozenset(uses), granted))
            refusals += [refusal] if refusal is not None else []
        if len(refusals) == len(asked):
            raise refusals[0]
        return found

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    async def _read_version(self, name: str, version: str) -> SecretVersion:
        try:
            known = await self._versions(name)
        except Gone as gone:
            raise _of_version(gone, version) from None
        one = next((one for one in known if one.version == version), None)
        if one is None:
            raise VersionNotFound(NO_VERSION)
        told = tags.info(one, tags.stages(known)[version])
        try:
            found = await self._client.ask(lambda sdk: sdk.get_secret(name, version))
        except Gone:
            raise Gone(DISABLED, info=told) from None
        return SecretVersion(told, value_of(found), tags.labels_of(known[-1].tags))

    async def _describe(self, name: str) -> SecretInfo:
        try:
            known = await self._versions(name)
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

    async def _newest(self, name: str) -> Any:
        """The properties of the newest version. Raises SecretNotFound, whether it never was or is deleted."""
        try:
            return (await self._client.ask(lambda sdk: sdk.get_secret(name))).properties
        except Gone:  # it is disabled, which a list tells and a read does not
            return (await self._versions(name))[-1]

    async def _versions(self, name: str) -> builtins.list[Any]:
        """The properties of all versions, oldest first; at least one. Raises SecretNotFound and Gone."""

        async def all_of(sdk: Any) -> builtins.list[Any]:
            return [one async for one in sdk.list_properties_of_secret_versions(name, max_page_size=PAGE)]

        try:
            known = tags.in_order(await self._client.ask(all_of, long=True))
        except SecretNotFound:
            known = []
        if not known:
            raise await self._absent(name)
        if tags.unclear(known):
            with contextlib.suppress(Gone):  # the newest is disabled, and which it is stays a guess
                newest = await self._client.ask(lambda sdk: sdk.get_secret(name))
                known.sort(key=lambda one: one.version == newest.properties.version)
        return known

    async def _paths(self) -> Iterable[Path]:
        async def names(sdk: Any) -> builtins.list[str]:
            return [one.name async for one in sdk.list_properties_of_secrets(max_page_size=PAGE)]

        found = await self._client.ask(names, long=True)
        return {path for name in found if (path := NAMES.path_of(name)) is not None}

    async def _absent(self, name: str) -> WardgateError:
        """Why there is no live secret of this name."""
        return await self._deleted(name) or SecretNotFound(ABSENT)

    async def _deleted(self, name: str) -> Gone | None:
        try:
            found = await self._client.ask(lambda sdk: sdk.get_deleted_secret(name))
        except (SecretNotFound, PermissionDenied, Unsupported):  # the last is a vault of old, which keeps nothing back
            return None
        deleted_at = tags.nanoseconds(found.deleted_date) or self._clock.now()
        return Gone(DELETED, info=tags.info(found.properties, set(), deleted_at=deleted_at))

    async def _answers(self, call: Callable[[Any], Awaitable[object]]) -> bool:
        try:
            await self._client.ask(call)
        except SecretNotFound:
            return False
        except (Gone, PermissionDenied):
            pass  # it is there, and not to be seen
        return True


async def _refusal(ask: Callable[[], Awaitable[object]]) -> tuple[PermissionDenied | None, bool | None]:
    """The refusal, if there is one, and whether the right is there: None where the vault may not have come to that."""
    try:
        await ask()
    except PermissionDenied as error:
        return error, False
    except InvalidValue:
        return None, None
    except (SecretNotFound, Unsupported):
        pass
    except OutcomeUnknown:  # there was nothing to change
        raise Unavailable("the store did not answer clearly; try again") from None
    return None, True


def _nobody() -> str:
    return f"wardgate-probe-{secrets.token_hex(16)}"


def _of_version(gone: Gone, version: str) -> Gone | VersionNotFound:
    if not re.fullmatch("[0-9a-f]{32}", version):
        return VersionNotFound(NO_VERSION)
    told = gone.info
    if told is None or told.id == version:
        return gone
    # A vault tells no more of an older version of what is deleted.
    return Gone(gone.message, info=VersionInfo(version, state=VersionState.DELETED, deleted_at=told.deleted_at))
