"""What is particular to KV version 1: the ids made of content, what the engine refuses, and a wrong engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, SecretNotFound, Unavailable, Unsupported
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Page, Value

from tests.servers.openbao import OpenBao

T = TypeVar("T")
APP = Path.parse("app")
ODD_VALUES = (
    b"{}",
    b'{"a": 1.0, "b": 1.10, "c": -0.0, "d": 1e22, "e": 1E-7, "f": 0.1}',
    b'{"n": 9007199254740993, "m": 123456789012345678901234567890}',
    b'{"z": 1, "a": {"y": [1, {"x": null}], "b": true}, "\xc3\xa9": "<&>\\u2028\\u0000"}',
    b'{"ttl": "1h", "lease": "x", "path": "elsewhere", "data": {"a": 1}, "version": 3, "list": true}',
    b'{"wardgate:type": "text/plain"}',
    b"plain text",
    b"\x00\xff",
    b"",
)


@pytest.fixture
def opened_at(opened: Callable[..., Backend], openbao: OpenBao) -> Callable[..., Backend]:
    """Opens a mount of the running server as version 1."""
    return lambda mount: opened(address=openbao.address, token=openbao.token, mount=mount, kv_version=1)


@pytest.fixture
def backend(opened_at: Callable[..., Backend], openbao: OpenBao) -> Backend:
    return opened_at(openbao.new_mount(version="1"))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.mark.parametrize("data", ODD_VALUES, ids=repr)
def test_the_id_of_a_write_is_the_id_a_reader_sees(backend: Backend, data: bytes) -> None:
    """However the server writes numbers, keys and characters in between."""
    value = Value(data, JSON if data.startswith(b"{") else "text/plain")
    written = run(backend.write(APP, value))
    found = run(backend.read(APP))
    assert written == found.info
    assert (value.fields() or value.data) == (found.value.fields() or found.value.data)


def test_an_id_is_of_the_content_and_of_the_path(backend: Backend) -> None:
    """Equal content at one path has one id, old content its old id again, and another path another."""
    first = run(backend.write(APP, Value(b'{"a": "1", "b": "2"}', JSON)))
    same = run(backend.write(APP, Value(b'{ "b":"2","a":"1" }', JSON)))
    other = run(backend.write(APP, Value(b'{"a": "2"}', JSON)))
    again = run(backend.write(APP, Value(b'{"a": "1", "b": "2"}', JSON)))
    elsewhere = run(backend.write(APP.child("x"), Value(b'{"a": "1", "b": "2"}', JSON)))
    assert first.id == same.id == again.id
    assert len({first.id, other.id, elsewhere.id}) == 3


def test_a_path_the_engine_cannot_name_never_reaches_it(backend: Backend) -> None:
    """It answers two dots in a row with a failure of its own, which would read as an unknown outcome."""
    path = Path.parse("a..b")
    with pytest.raises(InvalidValue, match="two dots"):
        run(backend.write(path, Value(b"x")))
    for ask in (backend.read, backend.delete):
        with pytest.raises(SecretNotFound):
            run(ask(path))
    assert Page(()) == run(backend.list(path))


def test_an_older_version_is_unsupported_whatever_it_is_called(backend: Backend) -> None:
    """The id of what is there too: the store keeps nothing to compare it with."""
    written = run(backend.write(APP, Value(b"x")))
    with pytest.raises(Unsupported):
        run(backend.read(APP, version=written.id))
    with pytest.raises(Unsupported):
        run(backend.delete(APP, versions=[written.id]))


def test_health_names_an_engine_of_the_other_version(opened: Callable[..., Backend], openbao: OpenBao) -> None:
    """Either way round; each is well at its own."""
    mounts = {version: openbao.new_mount(version=str(version)) for version in (1, 2)}
    for engine, mount in mounts.items():
        for version in (1, 2):
            backend = opened(address=openbao.address, token=openbao.token, mount=mount, kv_version=version)
            health = run(backend.health())
            assert (engine == version) is health.ok
            assert health.ok or f"not a KV version {version} engine" in health.detail


def test_an_engine_without_options_is_of_version_1(opened_at: Callable[..., Backend], openbao: OpenBao) -> None:
    """As servers have mounted it since before there was a second."""
    openbao.call("POST", "sys/mounts/kv-bare", {"type": "kv"})
    assert run(opened_at("kv-bare").health()).ok
    assert not run(opened_at("cubbyhole").health()).ok


def test_an_engine_of_version_2_is_no_empty_store(opened_at: Callable[..., Backend], openbao: OpenBao) -> None:
    """A mistake in the configuration is not an absent secret."""
    backend = opened_at(openbao.new_mount())
    asks: tuple[Callable[[], Coroutine[Any, Any, object]], ...] = (
        lambda: backend.read(APP),
        lambda: backend.list(APP),
        lambda: backend.delete(APP),
        lambda: backend.write(APP, Value(b"x")),
    )
    for ask in asks:
        with pytest.raises(Unavailable, match="kv_version"):
            run(ask())
