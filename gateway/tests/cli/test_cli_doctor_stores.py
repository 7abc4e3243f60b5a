"""``doctor`` asks the store of every mount, and says what to do about each that cannot be used."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from wardgate.cli import founding, stores
from wardgate.cli.root import wardgate
from wardgate.registry import Registry
from wardgate.spi.backend import Backend, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import Path as SecretPath
from wardgate.spi.values import SecretVersion
from wardgate.state import State
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.state.tokens import new_id

CANARY = "canary-of-a-token"


def mount(made: Path, prefix: str, kind: str, options: Mapping[str, object], *, below: str = "") -> None:
    """Keep a mount that nobody asked about."""

    async def kept() -> None:
        state = founding.reopen(made.parent / "data", made.parent / "key")
        try:
            namespace = ROOT_NAMESPACE
            if below:
                namespace = await made_below(state, below)
            path = SecretPath.parse(prefix)
            row = state.mounts.draft(namespace, path, kind, options=options, presentation={}, description="")
            await state.mounts.add(row)
        finally:
            await state.close()

    asyncio.run(kept())


async def made_below(state: State, name: str) -> str:
    made = new_id()
    await state.namespaces.create(ROOT_NAMESPACE, name, namespace=made, along=lambda _: None)
    return made


def findings(made: Path) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(wardgate, ["doctor", "--config", str(made), "--json"])
    assert CANARY not in result.output
    return {one["check"]: one for one in json.loads(result.stdout)["checks"] if one["check"].startswith("mount ")}


def test_a_store_that_answers_is_well(made: Path) -> None:
    """One finding for each mount, of every namespace."""
    mount(made, "secret", "native", {})
    mount(made, "kv", "native", {}, below="team")
    found = findings(made)
    assert ["mount secret/", "mount kv/ of namespace team"] == list(found)
    assert all(one["ok"] for one in found.values())


def test_a_store_that_is_away_has_a_cure(made: Path) -> None:
    """And the others are told as they are; nothing secret is."""
    mount(made, "away", "vault", {"address": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "bad", "vault", {"addres": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "secret", "native", {})
    found = findings(made)
    assert [False, False, True] == [bool(one["ok"]) for one in found.values()]
    assert "cannot be reached" in found["mount away/"]["detail"]
    assert "did you mean 'address'" in found["mount bad/"]["detail"]
    assert "wardgate mount show away" in found["mount away/"]["cure"]


def test_a_type_that_is_not_loaded_names_its_plugin(made: Path) -> None:
    """The one that is installed, or that it is to be installed."""
    made.write_text('plugins = ["native"]\n' + made.read_text())
    mount(made, "bao", "vault", {"address": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "odd", "no-such", {})
    found = findings(made)
    assert """plugins = ["native", "vault"]""" in found["mount bao/"]["cure"]
    assert "install the plugin" in found["mount odd/"]["cure"]


class Talkative(Backend):
    """Its library takes long to load, and says what it works on."""

    capabilities = Capabilities()

    async def read(self, path: SecretPath, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def probe(self) -> tuple[Permission, ...]:
        logging.getLogger("vendor.sdk").warning("no token for %s", CANARY)
        return ()


def test_a_library_that_loads_slowly_is_no_other_store_s_delay(
    made: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All are opened before the first is asked; and what a library logs is not shown."""
    opened: list[Talkative] = []

    def slow(_options: object, _services: object) -> Talkative:
        time.sleep(0.1)  # it blocks, as loading does
        opened.append(Talkative())
        return opened[-1]

    types = {"slow": BackendType(name="slow", help="a fake", open=slow)}
    monkeypatch.setattr(Registry, "load", lambda _: SimpleNamespace(backend_types=types, plugins=("slow",)))
    monkeypatch.setattr(stores, "PATIENCE", 0.15)
    for number in range(5):
        mount(made, f"m{number}", "slow", {})
    assert [True] * 5 == [bool(one["ok"]) for one in findings(made).values()]
    assert 5 == len(opened)
    assert CANARY not in "".join(capfd.readouterr())


class Hanging(Talkative):
    """Never answers, and never closes."""

    async def probe(self) -> tuple[Permission, ...]:
        await asyncio.Event().wait()
        return ()

    async def close(self) -> None:
        await asyncio.Event().wait()


def test_stores_that_hang_are_named_and_hold_up_no_other(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked beside one another, each for so long."""
    types = {
        "hangs": BackendType(name="hangs", help="a fake", open=lambda *_: Hanging()),
        "well": BackendType(name="well", help="a fake", open=lambda *_: Talkative()),
    }
    monkeypatch.setattr(Registry, "load", lambda _: SimpleNamespace(backend_types=types, plugins=("x",)))
    monkeypatch.setattr(stores, "PATIENCE", 0.2)
    for number in range(8):
        mount(made, f"m{number}", "hangs", {})
    mount(made, "well", "well", {})
    begun = time.monotonic()
    found = findings(made)
    assert time.monotonic() - begun < 8 * 2 * 0.2
    assert [False] * 8 + [True] == [bool(one["ok"]) for one in found.values()]
    assert {"the store did not answer in time"} == {one["detail"] for one in found.values() if not one["ok"]}
