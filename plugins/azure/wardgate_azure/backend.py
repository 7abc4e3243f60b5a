"""The secrets of an Azure Key Vault as a store. A secret goes and comes back as one; its versions are immutable."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    Conflict,
    Gone,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unauthenticated,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.listing import Listing
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import (
    CURRENT,
    PREVIOUS,
    Expect,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
)

from wardgate_azure import probing, tags
from wardgate_azure.calls import Secrets
from wardgate_azure.client import Client
from wardgate_azure.declaration import DECLARATION
from wardgate_azure.errors import DELETED, DISABLED
from wardgate_azure.names import NAMES
from wardgate_azure.values import text_of, value_of

NOT_PURGED = "the secret is deleted and can be recovered: the store does not allow the gateway to purge it"

NOT_YET_PURGED = "the secret is deleted and not yet purged; destroy it again"


class KeyVaultBackend(Backend):
    """One vault."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._secrets = Secrets(client, clock)
        self._listing = Listing(self._secrets.paths, clock)
        self._last_mark = 0

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this id; the latter asks for the others too, for its stages."""
        name = NAMES.existing(path)
        if version is not None:
            return await self._secrets.version(name, version)
        try:
            found = await self._client.ask(lambda sdk: sdk.get_secret(name))
        except SecretNotFound:
            found = None
        except Gone:
            raise Gone(DISABLED, info=(await self._secrets.info(name)).current) from None
        if found is None:
            raise await self._secrets.absent(name)
        one = found.properties
        # Other versions have a say only where this one is marked: a newer mark elsewhere wins.
        marked = any(tag.startswith(tags.STAGE) for tag in one.tags or {})
        stages = tags.stages(await self._secrets.versions(name))[one.version] if marked else {CURRENT}
        return SecretVersion(tags.info(one, stages), value_of(found), tags.labels_of(one.tags))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version with the labels of the one before it."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        name, text = NAMES.name_of(path), text_of(value)
        try:
            labels = tags.labels_of((await self._secrets.newest(name)).tags)
        except SecretNotFound:
            labels = {}
        marked = tags.checked(labels | {tags.WRITTEN: str(self._mark())})
        try:
            made = await self._client.change(
                lambda sdk: sdk.set_secret(name, text, content_type=value.media_type, tags=marked, retry_total=0)
            )
        except Gone:
            made = None
        if made is None:
            raise await self._secrets.deleted(name) or Gone(DELETED)
        return tags.info(made.properties, {CURRENT})

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """All versions, oldest first. Of a deleted secret a vault tells the newest alone."""
        return await self._secrets.info(NAMES.existing(path))

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Change the tags of the newest version. A vault has no secret without a version to annotate."""
        if settings is not None:
            raise Unsupported("this store has no settings for a secret")
        if labels is None:
            return
        name = NAMES.existing(path)
        try:
            newest = await self._secrets.newest(name)
        except SecretNotFound:
            newest = None
        if newest is None:
            raise await self._secrets.absent(name)
        await self._tag(name, newest, tags.changed(newest.tags or {}, labels, merge=merge))

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the secret with all its versions; the vault keeps it recoverable for its retention time."""
        if versions is not None:
            return _no_single(versions)
        await self._delete(NAMES.existing(path))
        return None

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover the secret with all its versions, whichever are named."""
        if not versions:
            return
        name = NAMES.existing(path)
        try:
            await self._client.send("POST", f"deletedsecrets/{name}/recover")
        except SecretNotFound:
            known = {one.version for one in await self._secrets.versions(name)}
        else:
            await self._client.settle(lambda: self._secrets.answers(lambda sdk: sdk.get_secret(name)))
            return
        if not known.issuperset(versions):
            raise VersionNotFound

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the secret and purge it. Where the vault is protected from purging, it stays deleted."""
        if versions is not None:
            return _no_single(versions)
        name = NAMES.existing(path)
        try:
            deleted = await self._delete(name)
        except Gone:  # deleted before: what is left is to purge it
            deleted = True
        try:
            await self._client.send("DELETE", f"deletedsecrets/{name}")
        except Unsupported:
            return None  # a vault of old, which keeps nothing back
        except SecretNotFound:
            if not deleted:
                raise OutcomeUnknown(NOT_YET_PURGED) from None
            return None  # another was first
        except PermissionDenied:
            raise PermissionDenied(NOT_PURGED) from None
        except (Conflict, RateLimited, Unauthenticated, Unavailable):
            raise OutcomeUnknown(NOT_YET_PURGED) from None
        await self._client.settle(lambda: self._is_free(name))
        return None

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Mark that version higher than any other, then take the mark from the others."""
        if stage in {CURRENT, PREVIOUS}:
            raise Unsupported("in this store current and previous follow from the order of the versions")
        name, mark = NAMES.existing(path), tags.STAGE + stage
        known = await self._secrets.versions(name)
        if version is not None:
            target = next((one for one in known if one.version == version), None)
            if target is None:
                raise VersionNotFound
            others = tags.marked(known, mark)
            number = max([self._mark(), *(other + 1 for other, _ in others)])
            await self._tag(name, target, tags.checked((target.tags or {}) | {mark: str(number)}))
            # The stage has moved; a lower mark that cannot be taken away does no harm.
            with contextlib.suppress(WardgateError):
                await self._unmark(name, mark, [one for _, one in others if one is not target])
            return
        # The lowest first: while the highest is there, the stage is where it was.
        await self._unmark(name, mark, [one for _, one in tags.marked(known, mark)])

    async def health(self) -> Health:
        """Whether the vault answers a question for a secret that cannot be there."""
        return await probing.health(self._client)

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right with a name that no secret has."""
        return await probing.permissions(self._client)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.close()

    async def _delete(self, name: str) -> bool:
        """Whether the vault was seen to have it among the deleted; it accepted the deletion in any case."""
        try:
            await self._client.send("DELETE", f"secrets/{name}")
        except SecretNotFound:
            pass
        else:
            return await self._client.settle(lambda: self._secrets.answers(lambda sdk: sdk.get_deleted_secret(name)))
        raise await self._secrets.absent(name)

    async def _unmark(self, name: str, mark: str, versions: Sequence[Any]) -> None:
        for one in versions:
            await self._tag(name, one, {tag: text for tag, text in one.tags.items() if tag != mark})

    def _mark(self) -> int:
        """A number for a mark: the time, and never the same twice."""
        self._last_mark = max(self._clock.now(), self._last_mark + 1)
        return self._last_mark

    async def _tag(self, name: str, one: Any, changed: Mapping[str, str]) -> None:
        await self._client.change(
            lambda sdk: sdk.update_secret_properties(name, one.version, tags=dict(changed), retry_total=0)
        )

    async def _is_free(self, name: str) -> bool:
        return not await self._secrets.answers(lambda sdk: sdk.get_deleted_secret(name))


def _no_single(versions: Sequence[str]) -> None:
    if versions:
        raise Unsupported("this store deletes and destroys a secret with all its versions")
