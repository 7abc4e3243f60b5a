"""Options of front-ends and authenticators: set in the configuration, checked by their own declarations, and used."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from wardgate.app import Application, build, preload
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.config import Config, ConfigError, load
from wardgate.server.epochs import LocalEpochs
from wardgate.server.facts import Worker
from wardgate.spi.errors import InvalidValue
from wardgate.spi.hookspecs import ENTRY_POINT_GROUP, AuthenticatorType, hookimpl
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.spi.options import option
from wardgate.spi.services import Services
from wardgate.type_options import opened

CANARY = "canary-of-a-pin"
BADGE = "[authenticator.badge]"


@dataclass(frozen=True)
class Options:
    """Options of the authenticator ``badge``."""

    issuer: str = option(help="who hands out badges")
    pin: str | None = option(help="what a badge must end in", default=None, secret=True)


class Badge(Authenticator):
    """Takes tokens of the form ``ISSUER:PIN`` for an administrator."""

    def __init__(self, options: Options, services: Services) -> None:
        self._options = options
        self._services = services

    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        """Look at it, with each of the things that were lent."""
        if credential.secret != f"{self._options.issuer}:{self._options.pin}":
            return None
        message = self._services.keyring.seal(b"seen", data=(b"badge",), key=())
        assert b"seen" == self._services.keyring.open(message, data=(b"badge",), key=())
        with self._services.storage.reading() as connection:
            assert 1 == connection.execute(text("SELECT 1")).scalar_one()
        return Principal(
            id="badge-1", namespace=namespace, name="badge", method="badge", policies=("administrator",),
            accessor="badge-1", created_at=self._services.clock.now(),
        )  # fmt: skip


class Plugin:
    """The module of a plugin."""

    @hookimpl
    def authenticator_type(self) -> list[AuthenticatorType]:
        """One that cannot do without an option."""
        return [AuthenticatorType(name="badge", help="badges", open=Badge, options=Options)]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.entry_points

    def entry_points(**asked: Any) -> Any:
        if asked == {"group": ENTRY_POINT_GROUP, "name": "badges"}:
            return (SimpleNamespace(name="badges", load=Plugin, dist=None, value="badges"),)
        return real(**asked)

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The configuration file of a new installation, which loads the plugin and sets nothing of it."""
    dev = Config.for_dev(folder=tmp_path)
    founding.create(dev.data, dev.key_file)._database.close_and_wait()
    file = tmp_path / "wardgate.toml"
    file.write_text(
        'plugins = ["native", "badges"]\n[server]\nworkers = 1\n'
        f'[data]\nfolder = "{dev.data}"\nkey_file = "{dev.key_file}"\n'
    )
    file.chmod(0o600)
    return file


def adding(file: Path, more: str) -> Path:
    file.write_text(file.read_text() + more)
    return file


async def status_of(app: Application, token: str) -> int:
    sent: list[Mapping[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "raw_path": b"/api/v1/mounts", "path": "/api/v1/mounts", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())], "client": ("192.0.2.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])


def asked(config: Config, *tokens: str) -> list[int]:
    """What a worker answers to each of these tokens."""

    async def whole() -> list[int]:
        app = await build(config, Worker(0, "boot-1", LocalEpochs()))
        await app.start()
        try:
            return [await status_of(app, token) for token in tokens]
        finally:
            await app.drain()

    return asyncio.run(whole())


def test_an_authenticator_decides_by_the_options_of_its_table(made: Path) -> None:
    """From the file to a request: with what was set, and with a clock, a keyring and storage."""
    config = load(adding(made, f'[authenticator.badge]\nissuer = "acme"\npin = "{CANARY}"\n'))
    preload(config)
    assert [200, 401, 401] == asked(config, f"acme:{CANARY}", f"other:{CANARY}", "acme:None")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", f"{BADGE}: option 'issuer' is missing: who hands out badges"),
        (f"{BADGE}\nisuer = 'x'\n", f"{BADGE}: unknown option 'isuer'; did you mean 'issuer'?"),
        (f"{BADGE}\nissuer = 1\npin = '{CANARY}'\n", f"{BADGE}: option 'issuer' must be text"),
        ("[authenticator.bagde]\nx = 1\n", "[authenticator.bagde]: no loaded plugin offers 'bagde'; did you mean"),
        ("[frontend.rset]\nx = 1\n", "[frontend.rset]: no loaded plugin offers 'rset'; did you mean 'rest'?"),
        (f"[frontend.rest]\nx = 1\n{BADGE}\nissuer = 'x'\n", "[frontend.rest]: unknown option 'x'; there are none"),
    ],
)
def test_what_is_wrong_is_told_before_the_start_and_by_doctor(made: Path, given: str, said: str) -> None:
    """With the file, the table and the key, and no value."""
    config = load(adding(made, given))
    with pytest.raises(InvalidValue) as refused:
        preload(config)
    assert refused.value.message.startswith(f"{made}: {said}")
    told = CliRunner().invoke(wardgate, ["doctor", "--config", str(made)])
    assert said in told.output
    assert CANARY not in told.output + refused.value.message + repr(config)


def test_a_secret_option_in_a_file_that_others_can_read_is_refused(made: Path) -> None:
    """It is told how to mend it, and not told the secret."""
    adding(made, f'[authenticator.badge]\nissuer = "acme"\npin = "{CANARY}"\n').chmod(0o640)
    config = load(made)
    with pytest.raises(InvalidValue, match="option 'pin' is a secret, and other users can read the file") as refused:
        preload(config)
    assert CANARY not in refused.value.message
    without = config.type_options.given["authenticator"]["badge"].keys() - {"pin"}
    bare = replace(config.type_options, given={"authenticator": {"badge": dict.fromkeys(without, "acme")}})
    preload(replace(config, type_options=bare))


@pytest.mark.parametrize("given", ["frontend = 1\n", "[authenticator]\nissuer = 'x'\n"])
def test_options_that_are_in_no_type_s_table_are_refused(made: Path, given: str) -> None:
    """They would belong to nobody."""
    made.write_text(given + made.read_text() if given.startswith("frontend") else made.read_text() + given)
    with pytest.raises(ConfigError, match=r"must hold a table for each type: \[(frontend|authenticator)\.NAME\]"):
        load(made)


def test_a_type_that_fails_to_open_is_one_sentence_without_its_text() -> None:
    """What a plugin's own code raises could quote an option."""

    def failing() -> None:
        raise RuntimeError(CANARY)

    with pytest.raises(InvalidValue) as refused:
        opened("[authenticator.badge]", failing)
    assert "[authenticator.badge]: it cannot be opened: RuntimeError" == refused.value.message
