"""Lists over more than one of a vault's own pages, which hold 25: of names, and of the versions of a secret."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import opened
from tests.servers.key_vault_store import MOST
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import CURRENT, PREVIOUS, Entry
from wardgate_azure import calls
from wardgate_azure.backend import KeyVaultBackend

T = TypeVar("T")
MANY = 60
SECRET = Path.parse("team/database")
NAME = "team--database"


def used(server: KeyVaultServer, work: Callable[[KeyVaultBackend], Awaitable[T]]) -> T:
    """What ``work`` answers, with a backend of its own."""

    async def asked() -> T:
        backend = opened(server)
        try:
            return await work(backend)
        finally:
            await backend.close()

    return asyncio.run(asked())


def test_names_of_several_pages_are_listed(key_vault: KeyVaultServer) -> None:
    """Each once, in the order of their bytes; the vault is asked for each of its pages once, however we page."""
    vault = key_vault.empty()
    for number in range(MANY):
        vault.put(f"many--n{number}", "x")
    vault.put("alone", "x")

    async def listed(backend: KeyVaultBackend) -> list[Entry]:
        found = await backend.list(Path(("many",)), limit=35)
        rest = await backend.list(Path(("many",)), limit=35, cursor=found.cursor)
        assert (len(found.entries), rest.cursor) == (35, None)
        assert [entry.name for entry in (await backend.list(ROOT)).entries] == ["alone", "many"]
        return [*found.entries, *rest.entries]

    seen = used(key_vault, listed)
    assert seen == sorted((Entry(f"n{number}") for number in range(MANY)), key=lambda entry: entry.name.encode())
    asked = vault.seen.count(("GET", "/secrets"))
    assert asked == 2 * -(-(MANY + 1) // MOST), "once for the pages of one folder, once for the other's"


def test_versions_of_several_pages_are_told(key_vault: KeyVaultServer) -> None:
    """All of them in the order of their making, which is not the vault's; one of the first opens, and has its stage."""
    vault = key_vault.empty()
    made = []
    for number in range(MANY):
        bundle = vault.put(NAME, str(number))
        bundle["attributes"]["created"] = number + 1
        made.append(bundle["id"].rsplit("/", 1)[1])

    async def asked(backend: KeyVaultBackend) -> None:
        await backend.move_stage(SECRET, "blue", version=made[0])
        told = await backend.describe(SECRET)
        assert [info.id for info in told.versions] == made
        assert told.current is not None
        stages = {info.id: set(info.stages) for info in told.versions if info.stages}
        assert stages == {made[0]: {"blue"}, made[-2]: {PREVIOUS}, made[-1]: {CURRENT}}
        for number in (0, MANY // 2, MANY - 1):
            assert (await backend.read(SECRET, version=made[number])).value.data == str(number).encode()

    used(key_vault, asked)
    assert vault.seen.count(("GET", f"/secrets/{NAME}/versions")) % -(-MANY // MOST) == 0


@pytest.mark.parametrize(
    "tokens", [itertools.repeat(0), itertools.cycle([0, 1]), itertools.count()], ids=["same", "round", "on"]
)
def test_a_list_without_an_end_ends(
    key_vault: KeyVaultServer, monkeypatch: pytest.MonkeyPatch, tokens: itertools.count[int]
) -> None:
    """Whether it goes round or on and on: it is no vault's, and nobody waits for ever."""
    monkeypatch.setattr(calls, "MAX_PAGES", 20)
    vault = key_vault.empty()
    vault.put("alone", "x")
    page = vault._page

    def endless(path: str, *asked: Any) -> dict[str, Any]:
        following = f"{key_vault.url}{path}?api-version=7.6&$skiptoken=MA%3D%3D&turn={next(tokens)}"
        return page(path, *asked) | {"nextLink": following}

    monkeypatch.setattr(vault, "_page", endless)
    for ask in (lambda backend: backend.list(ROOT), lambda backend: backend.describe(Path(("alone",)))):
        with pytest.raises(Unavailable, match="not one of the store's"):
            used(key_vault, ask)
    assert len(vault.seen) < 60
