"""Labels and stages that live in tags, and names as a vault takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import opened
from tests.servers.key_vault_store import NAME, Refused
from wardgate.spi.errors import InvalidValue, Malformed, OutcomeUnknown, TooLarge, Unsupported, WardgateError
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Entry, Value
from wardgate_azure import tags
from wardgate_azure.backend import KeyVaultBackend
from wardgate_azure.names import NAMES
from wardgate_azure.options import Options, check

PATH = Path.parse("team/database")


@given(st.lists(st.text(st.sampled_from("aAzZ09-_x. é"), min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_path_has_one_name_and_a_name_one_path(segments: list[str]) -> None:
    """And the name is one that a vault takes."""
    try:
        path = Path.parse("/".join(segments))
        name = NAMES.name_of(path)
    except (Malformed, TooLarge):
        return
    assert NAME.fullmatch(name)
    assert name == name.lower()
    assert path == NAMES.path_of(name.upper())


async def _write_keeps_labels(server: KeyVaultServer) -> None:
    backend = opened(server)
    first = await backend.write(PATH, Value(b"1", TEXT))
    await backend.annotate(PATH, labels={"owner": "ada"})
    await backend.move_stage(PATH, "tried", version=first.id)
    await backend.write(PATH, Value(b"2", TEXT))
    found = await backend.read(PATH)
    assert (dict(found.labels), found.info.stages) == ({"owner": "ada"}, frozenset({"current"}))
    old = await backend.read(PATH, version=first.id)
    assert (dict(old.labels), old.info.stages) == ({"owner": "ada"}, frozenset({"previous", "tried"}))
    with pytest.raises(Unsupported):
        await backend.move_stage(PATH, "current", version=first.id)
    await backend.close()


def test_a_write_carries_labels_and_leaves_stages(key_vault: KeyVaultServer) -> None:
    """Labels are the secret's and a stage is a version's, though both are tags of a version."""
    key_vault.empty()
    asyncio.run(_write_keeps_labels(key_vault))


def test_a_write_asks_once_and_a_change_of_labels_too(key_vault: KeyVaultServer) -> None:
    """However many versions there are: what is carried over is read with one request, and so is what is changed."""
    vault = key_vault.empty()

    async def seen(work: Callable[[KeyVaultBackend], Awaitable[object]]) -> list[str]:
        backend = opened(key_vault)
        vault.seen.clear()
        await work(backend)
        await backend.close()
        return [method for method, _ in vault.seen]

    for _ in range(2):
        assert asyncio.run(seen(lambda backend: backend.write(PATH, Value(b"1", TEXT)))) == ["GET", "PUT"]
    for turn in range(30):
        vault.put("team--database", str(turn))
    assert asyncio.run(seen(lambda backend: backend.write(PATH, Value(b"1", TEXT)))) == ["GET", "PUT"]
    assert asyncio.run(seen(lambda backend: backend.annotate(PATH, labels={"owner": "ada"}))) == ["GET", "PATCH"]


@pytest.mark.parametrize("disabled", [False, True])
@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_labels_that_cannot_be_read_are_not_lost(key_vault: KeyVaultServer, *, disabled: bool, status: int) -> None:
    """The write is refused, and nothing is sent; of a disabled version a list is what tells them."""
    vault = key_vault.empty()
    vault.put("team--database", "x", tags={"owner": "ada"}, attributes={"enabled": not disabled})

    async def failed() -> WardgateError:
        backend = opened(key_vault)
        where = "/versions" if disabled else ""
        vault.refuse[f"GET /secrets/team--database{where}"] = Refused(status, "Refused")
        with pytest.raises(WardgateError) as raised:
            await backend.write(PATH, Value(b"2", TEXT))
        await backend.close()
        return raised.value

    assert not isinstance(asyncio.run(failed()), OutcomeUnknown)
    assert "PUT" not in {method for method, _ in vault.seen}


def test_the_highest_mark_wins(key_vault: KeyVaultServer) -> None:
    """Two movers that met leave two marks: the stage is on one version all the same."""
    vault = key_vault.empty()
    ids = [vault.put("a", "x", tags={"wardgate-stage-tried": str(mark)})["id"][-32:] for mark in (7, 9, 8)]

    async def told() -> list[bool]:
        backend = opened(key_vault)
        infos = {info.id: info for info in (await backend.describe(Path.parse("a"))).versions}
        await backend.close()
        return ["tried" in infos[version].stages for version in ids]

    assert asyncio.run(told()) == [False, True, False]


@pytest.mark.parametrize(
    "labels",
    [{"wardgate-stage-x": "1"}, {"n" * 257: "x"}, {"n": "x" * 257}, {f"n{turn}": "x" for turn in range(15)}, {"": "x"}],
    ids=["reserved", "long name", "long text", "many", "empty"],
)
def test_labels_that_a_vault_does_not_take_are_refused(labels: dict[str, str]) -> None:
    """Before anything is sent: fifteen tags are all there are, and one is the gateway's."""
    with pytest.raises(InvalidValue):
        tags.changed({tags.WRITTEN: "1"}, labels, merge=False)


def test_other_tools_names_read_naturally(key_vault: KeyVaultServer) -> None:
    """Whatever their case, over several of the vault's own pages, and what no path stands for is left out."""
    vault = key_vault.empty()
    vault.put("DB-Password", "x")
    vault.put("bad---name--", "x")
    for turn in range(60):
        vault.put(f"many--n{turn}", "x")

    async def listed() -> tuple[tuple[Entry, ...], int, bytes]:
        backend = opened(key_vault)
        root = (await backend.list(ROOT)).entries
        many = (await backend.list(Path.parse("many"))).entries
        value = (await backend.read(Path.parse("db-password"))).value.data
        await backend.close()
        return root, len(many), value

    assert asyncio.run(listed()) == ((Entry("db-password"), Entry("many", folder=True)), 60, b"x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"vault_url": "http://127.0.0.1"}, {"vault_url": "https://u:p@host"}, {"vault_url": "https://host/x"},
        {"vault_url": "https://host:x"}, {"client_id": "a"}, {"client_id": "a", "client_secret": "b"},
        {"managed_identity": True, "tenant_id": "t"}, {"client_secret": " "}, {"ca_file": "/nowhere"}, {"timeout": 0.0},
        {"retries": 11},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    """When the mount is made, by the option's name."""
    given = {"vault_url": "https://example.vault.azure.net", **wrong}
    with pytest.raises(InvalidValue):
        check(Options(**given))  # type: ignore[arg-type]  # what a type cannot say is what is tried
