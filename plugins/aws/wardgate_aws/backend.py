"""AWS Secrets Manager as a store: the backend type ``aws-secrets-manager``."""

from __future__ import annotations

import asyncio
import string
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    InvalidValue,
    PermissionDenied,
    SecretNotFound,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.listing import Listing
from wardgate.spi.names import Names
from wardgate.spi.options import option
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_aws import options as shared
from wardgate_aws.client import Client
from wardgate_aws.declaration import DECLARATION
from wardgate_aws.probe import probe
from wardgate_aws.shapes import (
    CURRENT,
    current_of,
    holder_of,
    info_of,
    is_tag_of_aws,
    label_of,
    labels_of,
    nanoseconds,
    state_of,
    stored,
    value_of,
)

if TYPE_CHECKING:
    from wardgate.spi.services import Clock, Services

ABSENT = "there is no secret of that path"
OTHER_VERSION = "the current version is not the expected one"
PAGE = 100
RECOVERY_DAYS = (7, 30)
NAMES = Names(plain=string.ascii_letters + string.digits + "_+=.@-", escape="=", max_length=512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(shared.Options):
    """Options of the backend type ``aws-secrets-manager``."""

    kms_key_id: str | None = option(help="KMS key for secrets made here; without it the account's own", default=None)
    metadata: bool = option(
        help="tell a secret's labels with each read, which costs a second request to the store", default=False
    )
    recovery_days: int = option(help="days in which a deleted secret can be recovered, 7 to 30", default=30)


class SecretsManagerBackend(Backend):
    """The secrets of one account in one region."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._client = Client(options, "secretsmanager")
        self._listing = Listing(self._paths, clock)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the current version, or the one of this id; with the option ``metadata`` its secret's labels too."""
        name = NAMES.name_of(path)
        if version is not None and not _is_id(version):
            await self._client.call("describe_secret", SecretId=name)
            raise VersionNotFound("the secret has no such version")
        # Without a stage an emulator would take whichever version was written last.
        which: dict[str, Any] = {"VersionStage": CURRENT} if version is None else {"VersionId": version}
        asked = [self._client.call("get_secret_value", SecretId=name, **which)]
        if self._options.metadata:
            asked.append(self._client.call("describe_secret", SecretId=name))
        found, *described = await asyncio.gather(*asked, return_exceptions=True)
        if isinstance(found, Gone):
            raise Gone(found.message, info=await self._deleted(path, version))
        if isinstance(found, VersionNotFound) and version is None:
            raise SecretNotFound(ABSENT)
        if isinstance(found, BaseException):
            raise found
        # Whoever may read a value need not be allowed to read its labels.
        labels = [labels_of(one) for one in described if not isinstance(one, BaseException)]
        return SecretVersion(info=info_of(found), value=value_of(found), labels=labels[0] if labels else {})

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version; what the store says of it takes a second request."""
        name = NAMES.name_of(path)
        token = str(uuid.uuid4())
        if expect is not None:
            await self._write_expecting(name, value, token, expect.version)
        else:
            await self._write(name, value, token)
        try:
            return info_of(await self._client.call("get_secret_value", SecretId=name, VersionId=token))
        except WardgateError:
            # It is written; that it cannot be read back, or is no longer there, does not undo that.
            return VersionInfo(id=token)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder; deleted secrets are left out."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret, versions without a stage included as long as the store keeps them."""
        name = NAMES.name_of(path)
        described = await self._client.call("describe_secret", SecretId=name)
        state, deleted_at = state_of(described, self._clock.now())
        listed = await self._pages("list_secret_version_ids", "Versions", SecretId=name, IncludeDeprecated=True)
        versions = sorted((info_of(entry, state, deleted_at) for entry in listed), key=lambda info: info.created_at)
        current = current_of(described)
        return SecretInfo(
            current=next((info for info in versions if info.id == current), None),
            versions=tuple(versions),
            created_at=nanoseconds(described.get("CreatedDate")),
            updated_at=nanoseconds(described.get("LastChangedDate") or described.get("CreatedDate")),
            labels=labels_of(described),
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
        if settings is not None and settings != SecretSettings():
            raise Unsupported("this store has no settings for a secret")
        name = NAMES.name_of(path)
        wanted = {key: text for key, text in (labels or {}).items() if text is not None}
        if any(map(is_tag_of_aws, labels or {})):
            raise InvalidValue("labels that begin with 'aws:' are the store's own")
        try:
            there = labels_of(await self._client.call("describe_secret", SecretId=name))
        except SecretNotFound:
            if merge:
                raise
            await self._create(name, Tags=_tags(wanted))
            return
        if labels is None:
            return
        changed = {key: text for key, text in wanted.items() if there.get(key) != text}
        kept = (there.keys() - {key for key in labels if key not in wanted}) if merge else wanted.keys()
        removed = sorted(there.keys() - kept)
        # In this order a refused label takes none away.
        if changed:
            await self._change("tag_resource", SecretId=name, Tags=_tags(changed))
        if removed:
            await self._change("untag_resource", SecretId=name, TagKeys=removed)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Schedule the whole secret for deletion."""
        if versions is not None:
            raise Unsupported("this store deletes secrets as a whole, not single versions")
        days = self._options.recovery_days
        await self._change("delete_secret", SecretId=NAMES.name_of(path), RecoveryWindowInDays=days)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover the whole secret; one that is not deleted stays as it is."""
        name = NAMES.name_of(path)
        if versions and (await self._client.call("describe_secret", SecretId=name)).get("DeletedDate"):
            await self._change("restore_secret", SecretId=name)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the whole secret for ever."""
        if versions is not None:
            raise Unsupported("this store destroys secrets as a whole, not single versions")
        await self._change("delete_secret", SecretId=NAMES.name_of(path), ForceDeleteWithoutRecovery=True)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Move a staging label from the version that has it."""
        label = label_of(stage)
        if label == CURRENT and version is None:
            raise InvalidValue("the current stage can be moved, not taken away")
        name = NAMES.name_of(path)
        described = await self._client.call("describe_secret", SecretId=name)
        holder = holder_of(described, label)
        if version is not None and version not in {info.id for info in (await self.describe(path)).versions}:
            raise VersionNotFound("the secret has no such version")
        if holder == version:
            return
        ends = {"RemoveFromVersionId": holder, "MoveToVersionId": version}
        await self._stage(name, label, **{end: one for end, one in ends.items() if one is not None})

    async def health(self) -> Health:
        """Whether the store lists one name."""
        try:
            await self._client.call("list_secrets", MaxResults=1)
        except WardgateError as error:
            return Health(ok=False, detail=error.message)
        return Health(ok=True, detail="the store answers")

    async def probe(self) -> Sequence[Permission]:
        """Ask with the name of a secret that cannot exist."""
        return await probe(self._client)

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._client.close()

    async def _write(self, name: str, value: Value, token: str) -> None:
        try:
            await self._put(name, value, token)
        except SecretNotFound:
            absent = True
        else:
            absent = False
        if absent:
            try:
                await self._create(name, ClientRequestToken=token, **stored(value))
            except AlreadyExists:
                await self._put(name, value, token)

    async def _write_expecting(self, name: str, value: Value, token: str, expected: str | None) -> None:
        if expected is None:
            try:
                await self._create(name, ClientRequestToken=token, **stored(value))
            except AlreadyExists:
                pass  # it may have labels and no version yet
            else:
                return
        await self._check_current(name, expected)
        private = f"wardgate-{token}"
        put = await self._put(name, value, token, VersionStages=[private])
        try:
            # The very first version is made current by the store, for one of several who try.
            if CURRENT not in put.get("VersionStages", ()):
                source = {} if expected is None else {"RemoveFromVersionId": expected}
                await self._stage(name, CURRENT, MoveToVersionId=token, **source)
        finally:
            # A version without a label is one that the store forgets by itself.
            await self._drop(name, private, token)

    async def _check_current(self, name: str, expected: str | None) -> None:
        try:
            described = await self._client.call("describe_secret", SecretId=name)
        except SecretNotFound:
            described = {}
        if described.get("DeletedDate"):
            raise Gone("the secret is deleted; undelete it first")
        if not described or current_of(described) != expected:
            raise Conflict(OTHER_VERSION)

    async def _stage(self, name: str, label: str, **ends: Any) -> None:
        try:
            await self._client.call(
                "update_secret_version_stage", mutates=True, SecretId=name, VersionStage=label, **ends
            )
        except (InvalidValue, SecretNotFound):
            raise Conflict(OTHER_VERSION) from None

    async def _drop(self, name: str, label: str, version: str) -> None:
        try:
            await self._stage(name, label, RemoveFromVersionId=version)
        except WardgateError:
            return  # it is hidden from readers, and harmless

    async def _put(self, name: str, value: Value, token: str, **more: Any) -> dict[str, Any]:
        return await self._change("put_secret_value", SecretId=name, ClientRequestToken=token, **stored(value), **more)

    async def _create(self, name: str, **more: Any) -> None:
        key = {} if self._options.kms_key_id is None else {"KmsKeyId": self._options.kms_key_id}
        await self._change("create_secret", Name=name, **key, **more)

    async def _change(self, method: str, **params: Any) -> dict[str, Any]:
        """A change that can be sent twice without harm: a token, or its own nature, makes a second one nothing."""
        return await self._client.call(method, mutates=True, idempotent=True, **params)

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
        raise VersionNotFound("the secret has no such version")

    async def _paths(self) -> Sequence[Path]:
        listed = await self._pages("list_secrets", "SecretList", MaxResults=PAGE)
        live = (str(entry["Name"]) for entry in listed if not entry.get("DeletedDate"))
        return [path for name in live if (path := NAMES.path_of(name)) is not None]

    async def _pages(self, method: str, key: str, **params: Any) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            answer = await self._client.call(method, **params, **more)
            found.extend(answer.get(key, ()))
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}


def _is_id(version: str) -> bool:
    """Whether the store can have such a version; it refuses to look for others."""
    return 32 <= len(version) <= 64 and version.isascii() and version.isprintable()  # noqa: PLR2004  # the API's bounds


def _tags(labels: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    return [{"Key": key, "Value": text} for key, text in labels.items()]


def _open(options: Options, services: Services) -> SecretsManagerBackend:
    shared.check(options)
    least, most = RECOVERY_DAYS
    if not least <= options.recovery_days <= most:
        raise InvalidValue(f"option 'recovery_days' must be between {least} and {most}")
    return SecretsManagerBackend(options, services.clock)


BACKEND = BackendType(
    name="aws-secrets-manager",
    help="AWS Secrets Manager in one account and region",
    open=_open,
    options=Options,
    declarations=(DECLARATION,),
)
