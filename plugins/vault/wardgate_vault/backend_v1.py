"""KV version 1 of a Vault or OpenBao server, as a store: a secret is its one value, and nothing is known of it.

The engine keeps no versions, so a version's id is a code of what is there: a MAC under the namespace's key over the
path and the value. A write of other content is another version, a write of the same content is the same one, and one
that brings old content back brings its id back. The id tells nobody what the value is, nor lets him try guesses.
Ordinals are the gateway's ledger's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from wardgate.spi.errors import InvalidValue, SecretNotFound, Unsupported
from wardgate.spi.maps import from_map
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import Expect, Page, SecretVersion, Value, VersionInfo

from wardgate_vault import probing
from wardgate_vault.declaration import KV_ONE
from wardgate_vault.engine import Engine, absent, in_text, storable
from wardgate_vault.options import Options

if TYPE_CHECKING:
    from wardgate_vault.client import Client

PURPOSE = "vault.kv1.version"
ID_BYTES = 16


class KvOneBackend(Engine):
    """One KV version 1 engine. A delete is final; a compare-and-set and older versions are not to be had."""

    capabilities = KV_ONE.capabilities
    notes = KV_ONE.notes
    kv_version = 1
    needs = probing.KV_ONE

    def __init__(self, options: Options, services: Services, client: Client) -> None:
        super().__init__(options, services.clock, client, client.kv_v1)
        self._keyring = services.keyring
        self._id = services.mount.encode()

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the value there is."""
        if version is not None:
            raise Unsupported("this store keeps one version of a secret alone")
        if _unnamable(path):
            raise SecretNotFound
        answer = await self._client.ask(self._kv.read_secret, str(path), mount_point=self._mount)
        if answer.absent:
            raise absent(answer)
        with answer.understood():
            data = answer.body["data"]
            if isinstance(data, dict):
                return SecretVersion(info=self._info(path, data), value=from_map(data))
            raise TypeError("not a secret")

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Put a value there; see maps for the form a value that is no JSON object takes."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        if _unnamable(path):
            raise InvalidValue("this store holds no path with two dots in a row")
        # The engine takes an empty map for a mistake.
        data = storable(value) or in_text(value)
        answer = await self._client.post(f"{quote(self._mount)}/{quote(str(path))}", data)
        if answer.absent:
            raise absent(answer)
        return self._info(path, data)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder."""
        return Page(()) if _unnamable(folder) else await super().list(folder, cursor=cursor, limit=limit)

    async def delete(self, path: Path, *, versions: object = None) -> None:
        """Delete it for ever. What is not there stays away."""
        if versions is not None:
            raise Unsupported("this store cannot delete single versions")
        if _unnamable(path):
            raise SecretNotFound
        answer = await self._client.ask(self._kv.delete_secret, str(path), mount_point=self._mount, mutates=True)
        if answer.absent:
            raise absent(answer)

    def _info(self, path: Path, data: Mapping[str, object]) -> VersionInfo:
        content = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        fields = (self._id, str(path).encode(), content.encode(errors="surrogatepass"))
        return VersionInfo(id=self._keyring.mac(PURPOSE, fields)[:ID_BYTES].hex())


def _unnamable(path: Path) -> bool:
    """Whether the engine would answer this path with a 500."""
    return ".." in str(path)
