"""Fixtures that start real servers. Without its toolchain a server's tests skip; under ``CI=true`` they fail."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import trustme

from tests.servers import clients
from tests.servers import openbao as recipe
from tests.servers.gateway import Running, running
from tests.servers.openbao import OpenBao, Tls
from tests.servers.programs import CannotBuild

T = TypeVar("T")
BUILDS: dict[str, Callable[[], object]] = dict.fromkeys(("bao", "openbao", "openbao_tls"), recipe.binary)
"""By a fixture that starts a server: what builds it. A plugin's ``conftest.py`` adds its own."""
CLIENT_FIXTURE = "built_client"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever starts a server, so that ``-m 'not server'`` leaves it out."""
    for item in items:
        if _servers(item):
            item.add_marker(pytest.mark.server)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Build before the first test: minutes on a new machine, which no test's own time limit should pay for."""
    if session.config.option.collectonly:
        return
    items = getattr(session, "items", ())
    builds = list({BUILDS[name]: None for item in items for name in sorted(_servers(item))})
    builds += [partial(clients.built, name) for name in sorted(set(filter(None, map(_client, items))))]
    for build in builds:
        # Where it cannot be built the fixture says so.
        with contextlib.suppress(CannotBuild):
            build()


def _servers(item: pytest.Item) -> set[str]:
    return BUILDS.keys() & set(getattr(item, "fixturenames", ()))


def _client(item: pytest.Item) -> str | None:
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    name: str | None = parameters.get(CLIENT_FIXTURE)
    return name


def or_skip(build: Callable[[], T]) -> T:
    """What was built; without its toolchain the test skips, and under ``CI=true`` it fails."""
    try:
        return build()
    except CannotBuild as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem), pytrace=False)
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def bao() -> Path:
    """The ``bao`` command, unmodified."""
    return or_skip(recipe.binary)


@pytest.fixture
def built_client(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The command of one of ``clients.ALL``: to be parametrized indirectly with its name."""
    return or_skip(partial(clients.built, request.param))


@pytest.fixture(scope="session")
def openbao(bao: Path) -> Iterator[OpenBao]:
    """A running OpenBao over plain HTTP, one for each test process."""
    with recipe.running() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="session")
def openbao_tls(bao: Path, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """A running OpenBao over TLS; ``ca_file`` is the authority behind its certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    files = Tls(certificate=folder / "server.pem", key=folder / "server.key", authority=folder / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(files.certificate), append=index > 0)
    certificate.private_key_pem.write_to_path(str(files.key))
    authority.cert_pem.write_to_path(str(files.authority))
    with recipe.running(tls=files) as server:
        yield server


@pytest.fixture(scope="session")
def gateway() -> Iterator[Running]:
    """A running Wardgate with two workers and the native store at ``secret/``, one for each test process."""
    with running() as server:
        yield server
