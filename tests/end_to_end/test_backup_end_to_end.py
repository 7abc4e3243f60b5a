"""Backups of a real gateway under load: nothing acknowledged is missing, and what is restored serves."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.servers import gateway as recipe
from tests.servers.gateway import Running

WRITERS = 3
ENOUGH = 50


class Load:
    """Clients that write one secret after the other and remember each that was acknowledged."""

    def __init__(self, gateway: Running) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self.well_begun = threading.Event()
        self.acknowledged: list[str] = []
        self.begun: set[str] = set()
        self._threads = [threading.Thread(target=self._write, args=(slot,)) for slot in range(WRITERS)]

    def _write(self, slot: int) -> None:
        for number in itertools.count():
            if self._stop.is_set():
                return
            name = f"{slot}-{number}"
            self.begun.add(name)
            answer = self._gateway.call("POST", f"/v1/secret/data/load/{name}", {"data": {"name": name}})
            assert answer.status == 200, answer.body
            self.acknowledged.append(name)
            if len(self.acknowledged) >= ENOUGH:
                self.well_begun.set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def restored(gateway: Running, backup: Path, folder: Path) -> Iterator[Running]:
    """A second installation, made of the backup and the first one's key file, and served."""
    folder.mkdir()
    shutil.copy(gateway.folder / "wardgate.key", folder)
    done = recipe.command(
        "backup", "restore", str(backup), "--to", f"{folder}/data", "--key-file", f"{folder}/wardgate.key"
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(gateway.config, folder)
    running = recipe.start(folder, gateway.token)
    try:
        yield running
    finally:
        running.stop()


def names(gateway: Running) -> set[str]:
    """All secrets that the load wrote."""
    found: set[str] = set()
    cursor = ""
    while True:
        query = f"?limit=1000{f'&cursor={cursor}' if cursor else ''}"
        page = gateway.call("GET", f"/api/v1/folders/secret/load{query}").json()
        found |= {entry["name"] for entry in page["entries"]}
        cursor = page["cursor"]
        if cursor is None:
            return found


@pytest.mark.server
def test_a_backup_under_load_serves_all_that_was_acknowledged(tmp_path: Path) -> None:
    """While two workers write: what was acknowledged before is there, and the audit of that moment holds and goes on.

    A key that was revoked after the backup is valid again in what is made of it: the page says so.
    """
    with recipe.running(plugins=("native", "vault")) as gateway, Load(gateway) as load:
        key = gateway.call(
            "POST", "/api/v1/keys", {"name": "late", "policies": ["administrator"], "ttl_seconds": 3_600}
        ).json()
        assert load.well_begun.wait(60)
        before = list(load.acknowledged)
        backup = tmp_path / "backup"
        done = recipe.command(
            "backup", "create", str(backup), "--config", str(gateway.config), "--with-audit", "--json"
        )
        assert done.returncode == 0, done.stderr
        assert {"gateway.db", "namespaces/root.db"} < {file["name"] for file in json.loads(done.stdout)["files"]}
        after = set(load.begun)
        assert gateway.call("DELETE", f"/api/v1/keys/{key['info']['id']}").status == 204
        assert gateway.call("GET", "/api/v1/keys", token=key["token"]).status == 401
        with restored(gateway, backup, tmp_path / "again") as again:
            found = names(again)
            assert set() == set(before) - found
            assert set() == found - after
            one = before[-1]
            assert {"name": one} == again.call("GET", f"/v1/secret/data/load/{one}").json()["data"]["data"]
            assert again.call("GET", "/api/v1/keys", token=key["token"]).status == 200
            assert again.call("POST", "/v1/secret/data/load/new", {"data": {}}).status == 200
        verified = recipe.command("audit", "verify", str(again.audit), "--json")
        assert verified.returncode == 0, verified.stdout
        assert [()] == list({tuple(shard["open"]) for shard in json.loads(verified.stdout)["shards"]})


@pytest.mark.server
def test_a_stopped_gateway_is_backed_up_too() -> None:
    """No gateway is needed; the folder keeps the owner and modes that the gateway needs."""
    with tempfile.TemporaryDirectory() as name, recipe.running(plugins=("native", "vault")) as gateway:
        gateway.call("POST", "/v1/secret/data/a", {"data": {"a": "b"}})
        gateway.stop()
        backup = Path(name) / "backup"
        done = recipe.command("backup", "create", str(backup), "--config", str(gateway.config))
        assert done.returncode == 0, done.stderr
        told = json.loads(
            recipe.command("backup", "verify", str(backup), "--config", str(gateway.config), "--json").stdout
        )
        assert (True, 1, 1, []) == (told["ok"], told["secrets"], told["versions"], told["problems"])
