"""Google Secret Manager, as a store of the gateway. Version ids are its version numbers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from google_crc32c import value as crc32c
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    InvalidValue,
    SecretNotFound,
    TooLarge,
    Unavailable,
    Unsupported,
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

from wardgate_gcp import probing, shapes
from wardgate_gcp.calls import Secrets
from wardgate_gcp.declaration import DECLARATION
from wardgate_gcp.options import Options, target
from wardgate_gcp.shapes import Known

if TYPE_CHECKING:
    from wardgate_gcp.client import Client


class GoogleBackend(Backend):
    """The secrets of one project, or of one location of it."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, options: Options, clock: Clock, client: Client) -> None:
        self._client = client
        self._metadata = options.metadata
        self._place = target(options)[0]
        self._secrets = Secrets(client, options.project, options.location)
        self._listing = Listing(self._secrets.paths, clock)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this number."""
        name = self._secrets.existing(path)
        number = None if version is None else shapes.parse_number(version)
        if version is not None and number is None:
            raise await self._secrets.why_absent(name)
        outcomes: tuple[Any, Any] = await asyncio.gather(
            self._client.ask("access_secret_version", {"name": f"{name}/versions/{number or 'latest'}"}),
            self._secrets.known(name) if self._metadata else _nothing(),
            return_exceptions=True,
        )
        answer, known = outcomes
        if isinstance(answer, SecretNotFound) and number:
            raise await self._secrets.why_absent(name)
        if isinstance(answer, Conflict):
            raise Gone("the version is disabled or destroyed", info=await self._secrets.gone(name, number))
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        data = answer.payload.data
        if "data_crc32c" in answer.payload and answer.payload.data_crc32c != crc32c(data):
            raise Unavailable.of_one("the value was damaged on its way from the store; try again")
        found = shapes.number_of(answer.name)
        info = VersionInfo(id=str(found), ordinal=found, stages=frozenset(() if number else (CURRENT,)))
        if known is None:
            return SecretVersion(info=info, value=Value(data))
        info = await self._secrets.info(name, found, known)
        return SecretVersion(info=info, value=Value(data), labels=shapes.to_labels(known.secret.annotations))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Add a version; the secret is made first where there is none."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        name = self._secrets.name_of(path)
        if len(value.data) < self.capabilities.min_value_bytes:
            raise InvalidValue("this store holds no empty value")
        if len(value.data) > self.capabilities.max_value_bytes:
            raise TooLarge(f"this store holds values of at most {self.capabilities.max_value_bytes} bytes")
        request = {"parent": name, "payload": {"data": value.data, "data_crc32c": crc32c(value.data)}}
        try:
            added = await self._client.ask("add_secret_version", request, mutates=True)
        except SecretNotFound:
            added = None
        if added is None:
            await self._secrets.create(name)
            added = await self._client.ask("add_secret_version", request, mutates=True)
        return shapes.version_info(added, {CURRENT})

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder; secrets without a version are named too."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret: annotations, aliases, and every version that ever was."""
        name = self._secrets.existing(path)
        secret, versions = await asyncio.gather(
            self._client.ask("get_secret", {"name": name}), self._secrets.versions(name)
        )
        return shapes.secret_info(Known(secret, versions))

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Replace or merge the annotations; makes the secret where there is none."""
        if settings is not None:
            raise Unsupported("this store has no settings of a secret")
        if labels is None:
            return
        name = self._secrets.name_of(path)

        def changed(secret: Any) -> dict[str, Any]:
            held: dict[str, str | None] = dict(shapes.to_labels(secret.annotations)) if merge else {}
            wanted = {key: value for key, value in (held | dict(labels)).items() if value is not None}
            return {"annotations": shapes.to_annotations(wanted)}

        with contextlib.suppress(*(() if merge else (SecretNotFound,))):
            await self._secrets.update(name, changed)
            return
        wanted = {key: value for key, value in labels.items() if value is not None}
        try:
            await self._secrets.create(name, annotations=shapes.to_annotations(wanted), anew=True)
        except AlreadyExists:
            await self._secrets.update(name, changed)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Disable the newest version, or those named."""
        name = self._secrets.existing(path)
        if versions is None:
            newest = await self._secrets.versions(name, limit=1)
            versions = [str(shapes.number_of(newest[0].name))] if newest else []
        await self._secrets.each("disable_secret_version", name, versions)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Enable those versions. Destroyed ones stay as they are."""
        await self._secrets.each("enable_secret_version", self._secrets.existing(path), versions)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Destroy those versions, or delete the secret with all of them."""
        name = self._secrets.existing(path)
        if versions is None:
            await self._client.ask("delete_secret", {"name": name}, mutates=True)
        else:
            await self._secrets.each("destroy_secret_version", name, versions)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put an alias on a version, or take it away."""
        if stage in {CURRENT, PREVIOUS}:
            raise Unsupported("in this store the newest version is the current one")
        name, alias = self._secrets.existing(path), shapes.stage_alias(stage)
        number = None if version is None else shapes.parse_number(version)
        if version is not None:
            await self._secrets.demand(name, number)

        def changed(secret: Any) -> dict[str, Any]:
            others = {held: target for held, target in secret.version_aliases.items() if held != alias}
            wanted = others | ({alias: number} if number else {})
            if len(wanted) > shapes.MAX_ALIASES:
                raise TooLarge(f"a secret in this store has at most {shapes.MAX_ALIASES} stages of one's own")
            return {"version_aliases": wanted}

        await self._secrets.update(name, changed)

    async def health(self) -> Health:
        """Whether the service answers a question for a secret that cannot be there."""
        health = await probing.health(self._client, self._secrets.parent)
        return health if health.ok else Health(ok=False, detail=f"{self._place}: {health.detail}")

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right on a name that cannot be there."""
        return await probing.permissions(self._client, self._secrets.parent)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


async def _nothing() -> None:
    return None
