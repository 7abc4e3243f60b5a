"""AWS Secrets Manager as a store: its versions are UUIDs, its stages staging labels."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    PermissionDenied,
    SecretNotFound,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.listing import Listing
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_aws import probing
from wardgate_aws.client import Client
from wardgate_aws.declaration import SECRETS_MANAGER
from wardgate_aws.names import NAMES
from wardgate_aws.secret_writes import Writes
from wardgate_aws.shapes import (
    CURRENT,
    current_of,
    holder_of,
    info_of,
    label_of,
    nanoseconds,
    state_of,
    understood,
    value_of,
)
from wardgate_aws.tags import changes, labels_of, tags_of

if TYPE_CHECKING:
    from wardgate.spi.services import Clock

    from wardgate_aws.options import SecretsManagerOptions

PAGE = 100


class SecretsManagerBackend(Backend):
    """The secrets of one account in one region."""

    capabilities = SECRETS_MANAGER.capabilities
    notes = SECRETS_MANAGER.notes

    def __init__(self, options: SecretsManagerOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._client = Client(options, "secretsmanager", clock)
        self._writes = Writes(self._client, options.kms_key_id)
        self._listing = Listing(self._paths, clock)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the current version, or the one of this id; with the option ``metadata`` its secret's labels too."""
        name = NAMES.existing(path)
        if version is not None and not _is_id(version):
            await self._described(name)
            raise VersionNotFound
        which: dict[str, Any] = {} if version is None else {"VersionId": version}
        asked = [self._client.call("get_secret_value", holds="VersionId", SecretId=name, **which)]
        if self._options.metadata:
            asked.append(self._described(name))
        found, *described = await asyncio.gather(*asked, return_exceptions=True)
        if isinstance(found, Gone):
            raise Gone(found.message, info=await self._deleted(path, version))
        if isinstance(found, VersionNotFound) and version is None:
            raise SecretNotFound
        if isinstance(found, BaseException):
            raise found
        with understood():
            # Whoever may read a value need not be allowed to read its labels.
            labels = [labels_of(one.get("Tags", ())) for one in described if not isinstance(one, BaseException)]
            return SecretVersion(info=info_of(found), value=value_of(found), labels=labels[0] if labels else {})

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version; what the store says of it takes a second request."""
        name = NAMES.name_of(path)
        token = str(uuid.uuid4())
        if expect is not None:
            await self._writes.write_expecting(name, value, token, expect.version)
        else:
            await self._writes.write(name, value, token)
        try:
            asked = await self._client.call("get_secret_value", holds="VersionId", SecretId=name, VersionId=token)
            with understood():
                return info_of(asked)
        except WardgateError:
            # It is written; that it cannot be read back, or is no longer there, does not undo that.
            return VersionInfo(id=token)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder; deleted secrets are left out."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret, versions without a stage included as long as the store keeps them."""
        name = NAMES.existing(path)
        described = await self._described(name)
        listed = await self._client.pages(
            "list_secret_version_ids", "Versions", SecretId=name, IncludeDeprecated=True, MaxResults=PAGE
        )
        with understood():
            state, deleted_at = state_of(described, self._clock.now())
            versions = sorted((info_of(entry, state, deleted_at) for entry in listed), key=lambda info: info.created_at)
            current = current_of(described)
            return SecretInfo(
                current=next((info for info in versions if info.id == current), None),
                versions=tuple(versions),
                created_at=nanoseconds(described.get("CreatedDate")),
                updated_at=nanoseconds(described.get("LastChangedDate") or described.get("CreatedDate")),
                labels=labels_of(described.get("Tags", ())),
            )

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Change the tags; those that AWS itself put there stay as they are."""
        if settings is not None:
            raise Unsupported("this store has no settings for a secret")
        if labels is None:
            return
        name = NAMES.existing(path) if merge else NAMES.name_of(path)
        try:
            described = await self._described(name)
        except SecretNotFound:
            if merge:
                raise
            described = {}
        with understood():
            held = labels_of(described.get("Tags", ()))
        removed, given = changes(held, labels, merge=merge)
        if not described:
            await self._writes.create(name, Tags=tags_of(given))
            return
        # In this order a refused label takes none away.
        if given:
            await self._writes.change("tag_resource", holds=None, SecretId=name, Tags=tags_of(given))
        if removed:
            await self._writes.change("untag_resource", holds=None, SecretId=name, TagKeys=removed)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Schedule the whole secret for deletion."""
        if versions is not None:
            raise Unsupported("this store deletes secrets as a whole, not single versions")
        days = self._options.recovery_days
        await self._writes.change("delete_secret", SecretId=NAMES.existing(path), RecoveryWindowInDays=days)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover the whole secret; one that is not deleted stays as it is."""
        name = NAMES.existing(path)
        if versions and (await self._described(name)).get("DeletedDate"):
            await self._writes.change("restore_secret", SecretId=name)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the whole secret for ever."""
        if versions is not None:
            raise Unsupported("this store destroys secrets as a whole, not single versions")
        await self._writes.change("delete_secret", SecretId=NAMES.existing(path), ForceDeleteWithoutRecovery=True)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Move a staging label from the version that has it."""
        label = label_of(stage)
        if label == CURRENT and version is None:
            raise InvalidValue("the current stage can be moved, not taken away")
        name = NAMES.existing(path)
        holder = holder_of(await self._described(name), label)
        if version is not None and version not in {info.id for info in (await self.describe(path)).versions}:
            raise VersionNotFound
        if holder == version:
            return
        ends = {"RemoveFromVersionId": holder, "MoveToVersionId": version}
        try:
            await self._writes.stage(name, label, **{end: one for end, one in ends.items() if one is not None})
        except InvalidValue:
            if holder_of(await self._described(name), label) == holder:
                raise  # it is the label that the store refuses
            raise Conflict("the stage was moved at the same time; look where it is") from None

    async def health(self) -> Health:
        """Whether the store answers a question for a secret that cannot be there."""
        return await probing.health(self._client, probing.SECRETS_MANAGER, _nobody())

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right, of a secret that cannot be there."""
        return await probing.permissions(self._client, probing.SECRETS_MANAGER, _nobody())

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._writes.close()
        await self._client.close()

    async def _described(self, name: str) -> dict[str, Any]:
        return await self._client.call("describe_secret", holds="Name", SecretId=name)

    async def _deleted(self, path: Path, version: str | None) -> VersionInfo | None:
        try:
            described = await self.describe(path)
        except PermissionDenied:
            return None
        if version is None:
            return described.current
        for info in described.versions:
            if info.id == version:
                return info
        raise VersionNotFound

    async def _paths(self) -> Iterable[Path]:
        return _live(await self._client.pages("list_secrets", "SecretList", MaxResults=PAGE))


def _live(listed: Sequence[Mapping[str, Any]]) -> Iterator[Path]:
    with understood():
        names = [str(entry["Name"]) for entry in listed if not entry.get("DeletedDate")]
    yield from (path for name in names if (path := NAMES.path_of(name)) is not None)


def _nobody() -> str:
    return f"wardgate-probe-{uuid.uuid4()}"


def _is_id(version: str) -> bool:
    """Whether the store can have such a version; it refuses to look for others."""
    return 32 <= len(version) <= 64 and version.isascii() and version.isprintable()  # noqa: PLR2004  # the API's bounds
