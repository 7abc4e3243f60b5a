"""KV version 2 of a Vault or OpenBao server, as a store of the gateway.

Names that the gateway's paths cannot hold (a leading space, a backslash) are left out of lists: nobody could ask
for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wardgate.spi.errors import (
    Conflict,
    Gone,
    PermissionDenied,
    SecretNotFound,
    Unavailable,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.maps import from_map
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import (
    Expect,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)

from wardgate_vault import metadata, probing
from wardgate_vault.declaration import KV_TWO
from wardgate_vault.engine import Engine, storable
from wardgate_vault.options import Options

if TYPE_CHECKING:
    from wardgate_vault.client import Client


class VaultBackend(Engine):
    """One KV version 2 engine. Version ids are its version numbers."""

    capabilities = KV_TWO.capabilities
    notes = KV_TWO.notes
    kv_version = 2
    needs = probing.KV_TWO

    def __init__(self, options: Options, clock: Clock, client: Client) -> None:
        super().__init__(options, clock, client, client.kv)
        self._clock = clock

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this number."""
        number = None if version is None else metadata.version_number(version)
        if version is not None and number is None:
            raise await self._why_absent(path, VersionNotFound())
        answer = await self._client.ask(
            self._kv.read_secret_version,
            str(path),
            version=number,
            mount_point=self._mount,
            raise_on_deleted_version=False,
        )
        if answer.absent and not answer.body.get("data"):
            # Only a version that was asked for can be missing from a secret that is there.
            raise await self._why_absent(path, VersionNotFound()) if number else SecretNotFound()
        with answer.understood():
            data, about = answer.body["data"]["data"], answer.body["data"]["metadata"]
            info = metadata.version_info(about["version"], about, now=self._clock.now())
            if isinstance(data, dict):
                return SecretVersion(info=info, value=from_map(data), labels=metadata.labels(about))
        raise Gone("the version was deleted or destroyed", info=_not_live(info))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version; see maps for the form a value that is no JSON object takes."""
        expected = None
        if expect is not None:
            expected = 0 if expect.version is None else metadata.version_number(expect.version)
            if expected is None:
                raise Conflict("the current version is not the expected one")
        answer = await self._client.ask(
            self._kv.create_or_update_secret,
            str(path),
            storable(value),
            cas=expected,
            mount_point=self._mount,
            mutates=True,
        )
        with answer.understood(mutates=True):
            about = answer.body["data"]
            return metadata.version_info(about["version"], about, now=self._clock.now())

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret: its metadata. Of the root: the engine's own settings."""
        if not path.segments:
            return await self._configuration()
        answer = await self._client.ask(self._kv.read_secret_metadata, str(path), mount_point=self._mount)
        if answer.absent:
            raise SecretNotFound
        with answer.understood():
            return await self._client.work(metadata.secret_info, answer.body["data"], now=self._clock.now())

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Replace or patch the custom metadata, change the settings; what is not given is not sent, and so left."""
        if labels is None and settings is None:
            return
        changes = metadata.changes(labels, settings or SecretSettings())
        target = f"{quote(self._mount)}/" + (f"metadata/{quote(str(path))}" if path.segments else "config")
        if not merge:
            await self._client.post(target, changes)
            return
        try:
            await self._client.patch(target, changes)
        except Unavailable:
            # A patch of what is absent gets an empty 404, which could be anybody's.
            await self.describe(path)
            raise

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the newest version, or those named; recoverable. What is not there stays away."""
        if versions is None:
            await self._change(self._kv.delete_latest_version_of_secret, path)
        else:
            await self._on_versions(self._kv.delete_secret_versions, path, versions)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover deleted versions."""
        await self._on_versions(self._kv.undelete_secret_versions, path, versions)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Destroy those versions, or the secret with its metadata."""
        if versions is None:
            await self._change(self._kv.delete_metadata_and_all_versions, path)
        else:
            await self._on_versions(self._kv.destroy_secret_versions, path, versions)

    async def _configuration(self) -> SecretInfo:
        answer = await self._client.ask(self._kv.read_configuration, mount_point=self._mount)
        with answer.understood():
            settings = metadata.settings(answer.body["data"], of_engine=True)
            return SecretInfo(current=None, versions=(), created_at=0, updated_at=0, settings=settings)

    async def _on_versions(self, call: Any, path: Path, versions: Sequence[str]) -> None:
        numbers = [metadata.version_number(version) for version in versions]
        if None in numbers:
            raise VersionNotFound
        if numbers:
            await self._change(call, path, numbers)

    async def _change(self, call: Any, path: Path, *args: object) -> None:
        answer = await self._client.ask(call, str(path), *args, mount_point=self._mount, mutates=True)
        if answer.absent:
            raise SecretNotFound

    async def _why_absent(self, path: Path, if_there: WardgateError) -> WardgateError:
        """``if_there`` when the secret exists at all: the server answers both with the same bare 404."""
        try:
            answer = await self._client.ask(self._kv.read_secret_metadata, str(path), mount_point=self._mount)
        except PermissionDenied:
            return SecretNotFound()  # a credential that sees values alone
        return SecretNotFound() if answer.absent else if_there


def _not_live(info: VersionInfo) -> VersionInfo:
    """The server said that it is gone; a clock that runs behind the server's must not say otherwise."""
    if info.state is not VersionState.LIVE:
        return info
    return VersionInfo(
        id=info.id,
        ordinal=info.ordinal,
        created_at=info.created_at,
        state=VersionState.DELETED,
        deleted_at=info.expires_at,
        labels=info.labels,
    )
