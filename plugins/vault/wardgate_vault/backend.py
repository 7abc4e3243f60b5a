"""KV version 2 of a Vault or OpenBao server, as a store of the gateway.

Names that the gateway's paths cannot hold (a leading space, a backslash) are left out of lists: nobody could ask
for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wardgate.spi import pages
from wardgate.spi.backend import Backend, Health
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    Conflict,
    Gone,
    Malformed,
    PermissionDenied,
    SecretNotFound,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import Path
from wardgate.spi.services import Clock, Services
from wardgate.spi.values import (
    Entry,
    Expect,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)

from wardgate_vault import metadata
from wardgate_vault.durations import format_duration
from wardgate_vault.maps import TEXT_KEY, TYPE_KEY, from_map, to_map
from wardgate_vault.options import Options, check

if TYPE_CHECKING:
    from wardgate_vault.client import Client

CAPABILITIES = Capabilities(
    write=True,
    compare_and_set=True,
    list=True,
    describe=True,
    labels=True,
    settings=True,
    versions=True,
    ordinals=True,
    delete=True,
    delete_versions=True,
    undelete=True,
    destroy=True,
    media_types=False,
    # JSON can make six bytes of one, and a server keeps entries of 1 MiB.
    max_value_bytes=131_072,
)
ABSENT = "there is no secret of that path"
NO_VERSION = "the secret has no such version"


class VaultBackend(Backend):
    """One KV version 2 engine. Version ids are its version numbers."""

    capabilities = CAPABILITIES

    def __init__(self, options: Options, clock: Clock, client: Client) -> None:
        self._clock = clock
        self._client = client
        self._kv = client.kv
        self._mount = options.mount.strip("/")

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this number."""
        number = None if version is None else metadata.version_number(version)
        if version is not None and number is None:
            raise await self._why_absent(path, VersionNotFound(NO_VERSION))
        answer = await self._client.ask(
            self._kv.read_secret_version,
            str(path),
            version=number,
            mount_point=self._mount,
            raise_on_deleted_version=False,
        )
        if answer.absent and not answer.body.get("data"):
            # Only a version that was asked for can be missing from a secret that is there.
            raise await self._why_absent(path, VersionNotFound(NO_VERSION)) if number else SecretNotFound(ABSENT)
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
            _storable(value),
            cas=expected,
            mount_point=self._mount,
            mutates=True,
        )
        with answer.understood(mutates=True):
            about = answer.body["data"]
            return metadata.version_info(about["version"], about, now=self._clock.now())

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page: the server gives whole folders, so each page asks for all and keeps a part."""
        after = pages.position(cursor)
        answer = await self._client.ask(self._kv.list_secrets, str(folder), mount_point=self._mount, long=True)
        if answer.absent:
            return Page(())
        with answer.understood():
            return await self._client.work(_page, answer.body["data"]["keys"], after, limit)

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret: its metadata."""
        answer = await self._client.ask(self._kv.read_secret_metadata, str(path), mount_point=self._mount)
        if answer.absent:
            raise SecretNotFound(ABSENT)
        with answer.understood():
            return await self._client.work(metadata.secret_info, answer.body["data"], now=self._clock.now())

    async def annotate(
        self, path: Path, *, labels: Mapping[str, str] | None = None, settings: SecretSettings | None = None
    ) -> None:
        """Replace the custom metadata, change the settings; what is not given is not sent, and so left."""
        settings = settings or SecretSettings()
        after = settings.delete_after
        changes = {
            "custom_metadata": None if labels is None else dict(labels),
            "max_versions": settings.max_versions,
            "cas_required": settings.compare_and_set_required,
            "delete_version_after": None if after is None else format_duration(after),
        }
        target = f"{quote(self._mount)}/metadata/{quote(str(path))}"
        await self._client.post(target, {name: change for name, change in changes.items() if change is not None})

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

    async def health(self) -> Health:
        """Whether the server is up and unsealed, and shows the gateway's token a KV version 2 engine at the mount."""
        started = self._clock.monotonic()
        try:
            detail = await self._ill()
        except WardgateError as error:
            detail = error.message
        return Health(not detail, detail or "the store answers", self._clock.monotonic() - started)

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._client.close()

    async def _on_versions(self, call: Any, path: Path, versions: Sequence[str]) -> None:
        numbers = [metadata.version_number(version) for version in versions]
        if None in numbers:
            raise VersionNotFound(NO_VERSION)
        if numbers:
            await self._change(call, path, numbers)

    async def _change(self, call: Any, path: Path, *args: object) -> None:
        answer = await self._client.ask(call, str(path), *args, mount_point=self._mount, mutates=True)
        if answer.absent:
            raise SecretNotFound(ABSENT)

    async def _why_absent(self, path: Path, if_there: WardgateError) -> WardgateError:
        """``if_there`` when the secret exists at all: the server answers both with the same bare 404."""
        try:
            answer = await self._client.ask(self._kv.read_secret_metadata, str(path), mount_point=self._mount)
        except PermissionDenied:
            return SecretNotFound(ABSENT)  # a credential that sees values alone
        return SecretNotFound(ABSENT) if answer.absent else if_there

    async def _ill(self) -> str:
        answer = await self._client.ask_openly(
            self._client.system.read_health_status, method="GET", standby_ok=True, performance_standby_code=200
        )
        if answer.body.get("sealed") or not answer.body.get("initialized"):
            return "the store is sealed or not set up"
        answer = await self._client.get(f"sys/internal/ui/mounts/{quote(self._mount)}")
        if not answer.ok:
            return "the store does not show the configured mount to the gateway's credential"
        with answer.understood():
            version = (answer.body["data"]["options"] or {}).get("version")
        return "" if version == "2" else "the configured mount is not a KV version 2 engine"


def _storable(value: Value) -> dict[str, object]:
    """The value as a map; as text in a map when it holds an integer that the server would round: it keeps floats."""
    mapping = to_map(value)
    text = value.text()
    return {TEXT_KEY: text, TYPE_KEY: value.media_type} if text is not None and _rounded(mapping) else mapping


def _rounded(item: object) -> bool:
    if isinstance(item, dict):
        return any(_rounded(member) for member in item.values())
    if isinstance(item, list):
        return any(_rounded(member) for member in item)
    return isinstance(item, int) and int(float(item)) != item


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
    )


def _page(names: object, after: pages.Position | None, limit: int) -> Page:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("not a list of names")
    known = (entry for name in names if (entry := _entry(name)))
    return pages.cut(known, after, limit)


def _entry(name: str) -> Entry | None:
    try:
        segment = Path.parse(name.removesuffix("/"))
    except Malformed:
        return None
    return Entry(segment.segments[0], folder=name.endswith("/")) if len(segment.segments) == 1 else None


def _open(options: Options, services: Services) -> VaultBackend:
    check(options)
    from wardgate_vault.client import Client  # noqa: PLC0415  # hvac takes half a second: only such a mount pays it

    return VaultBackend(options, services.clock, Client(options, services.clock))


BACKEND = BackendType(
    name="vault",
    help="KV version 2 of a HashiCorp Vault or OpenBao server",
    open=_open,
    options=Options,
)
