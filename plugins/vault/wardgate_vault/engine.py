"""What both versions of KV share: the mount they are at, the names it lists, and whether it is well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlsplit

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import SecretNotFound, Unavailable, WardgateError
from wardgate.spi.listing import FolderListing
from wardgate.spi.maps import TEXT_KEY, TYPE_KEY, to_map
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import Entry, Page, Value

from wardgate_vault import probing
from wardgate_vault.options import Options

if TYPE_CHECKING:
    from wardgate_vault.client import Client
    from wardgate_vault.exchange import Answer

NOT_SHOWN = "the store does not show the configured mount to the gateway's credential; check 'mount' and its policies"
KINDS = frozenset({"kv", "generic"})
"""What servers call such an engine: the second name is an old one."""


class Engine(Backend):
    """One KV engine of a server. ``calls`` are hvac's for its version."""

    kv_version: ClassVar[int]
    needs: ClassVar[Sequence[probing.Need]]

    def __init__(self, options: Options, clock: Clock, client: Client, calls: Any) -> None:
        self._client = client
        self._kv = calls
        self._mount = options.mount.strip("/")
        self._listing = FolderListing(self._entries, clock)
        self._place = urlsplit(options.address).netloc  # no user stands in it: the options' check refuses one

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page; the server gives whole folders."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def health(self) -> Health:
        """Whether the server is up and unsealed, and shows the gateway's token an engine of this version."""
        try:
            detail = await self._ill()
        except WardgateError as error:
            detail = f"{self._place}: {error.message}"
        return Health(not detail, detail or "the store answers")

    async def probe(self) -> Sequence[Permission]:
        """What the gateway's token may do at this engine, once it is known to be there."""
        detail = await self._ill()
        if detail and detail != NOT_SHOWN:
            raise Unavailable(detail)
        # Before a missing mount is told: servers answer the same to a token that is nobody's.
        permissions = await probing.ask(self._client, self._mount, self.needs, accepted=not detail)
        if detail:
            raise Unavailable(detail)
        return permissions

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._client.close()

    async def _entries(self, folder: Path) -> Iterable[Entry]:
        answer = await self._client.ask(self._kv.list_secrets, str(folder), mount_point=self._mount, long=True)
        if answer.absent:
            if answer.body.get("warnings"):
                raise absent(answer)
            return ()
        with answer.understood():
            names = answer.body["data"]["keys"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise TypeError("not a list of names")
        # Those that no path can have are left out by the gateway, for all stores.
        folders = [name for name in names if name.endswith("/")]
        secrets = [name for name in names if not name.endswith("/")] if folders else names
        return [*map(Entry, secrets), *(Entry(name[:-1], folder=True) for name in folders)]

    async def _ill(self) -> str:
        answer = await self._client.ask_openly(
            self._client.system.read_health_status, method="GET", standby_ok=True, performance_standby_code=200
        )
        if "initialized" not in answer.body:
            return "what answers there is no Vault or OpenBao server; check 'address'"
        if answer.body.get("sealed") or not answer.body["initialized"]:
            return "the store is sealed or not set up"
        answer = await self._client.get(f"sys/internal/ui/mounts/{quote(self._mount)}")
        if not answer.ok:
            return NOT_SHOWN
        with answer.understood():
            engine = answer.body["data"]
            # An engine that was mounted without a word about its version is of the first.
            version = (engine["options"] or {}).get("version") or "1"
            right = engine["type"] in KINDS and version == str(self.kv_version)
        if right:
            return ""
        hint = "leave out 'kv_version'" if self.kv_version == 1 else "for version 1 give kv_version:=1"
        return f"the configured mount is not a KV version {self.kv_version} engine; check 'mount', or {hint}"


def absent(answer: Answer) -> SecretNotFound | Unavailable:
    """What an engine's 404 means: an engine of version 2 warns whoever speaks version 1 to it."""
    if answer.body.get("warnings"):
        return Unavailable("the configured mount is an engine of another version of KV; check 'kv_version'")
    return SecretNotFound()


def storable(value: Value) -> dict[str, object]:
    """The value as a map; as text in a map when it holds an integer that the server would round: it keeps floats."""
    mapping = to_map(value)
    return in_text(value) if _rounded(mapping) else mapping


def in_text(value: Value) -> dict[str, object]:
    """An object as text in a map."""
    return {TEXT_KEY: value.data.decode(), TYPE_KEY: value.media_type}


def _rounded(item: object) -> bool:
    if isinstance(item, dict):
        return any(_rounded(member) for member in item.values())
    if isinstance(item, list):
        return any(_rounded(member) for member in item)
    return isinstance(item, int) and int(float(item)) != item
