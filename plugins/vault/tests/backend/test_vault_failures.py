"""What goes wrong on the way to the store becomes one of the closed list, and says no more than it should."""

from __future__ import annotations

import asyncio
import gzip
import socket
import traceback
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.spi import errors
from wardgate.spi.backend import Backend
from wardgate.spi.path import ROOT, Path
from wardgate.spi.threads import QUEUE
from wardgate.spi.values import Value
from wardgate_conformance.answering import throttling
from wardgate_vault import client, exchange, login

from tests.servers.sockets import SocketServer, listening

SECRET = Path.parse("app/db")
CANARY = "canary-2f7a-never-to-be-seen"
VALUE = Value(f'{{"{CANARY}": "{CANARY}"}}'.encode())
Opened = Callable[..., Backend]
Kind = type[errors.WardgateError]


@pytest.fixture(autouse=True)
def _known_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look at a new token is a request of its own, and not what these tests count."""
    monkeypatch.setattr(login.Login, "_look_up", lambda self: setattr(self, "_due", float("inf")))


def refusal(backend: Backend, *, write: bool) -> errors.WardgateError:
    """The error of one request, checked to carry nothing that was sent or answered."""
    attempt = backend.write(SECRET, VALUE) if write else backend.read(SECRET)
    with pytest.raises(errors.WardgateError) as refused:
        asyncio.run(attempt)
    error = refused.value
    assert type(error) in errors.CLOSED_LIST
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    assert CANARY not in repr(error.__context__)
    assert CANARY not in "".join(traceback.format_exception(error)) + repr(vars(error))
    return error


def test_a_store_that_is_down_is_unavailable(opened: Opened) -> None:
    """For a write too: nothing was sent, so nothing can have happened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    backend = opened(address=address, token=CANARY)
    for write in (False, True):
        assert errors.Unavailable is type(refusal(backend, write=write))
    health = asyncio.run(backend.health())
    place = address.removeprefix("http://")
    assert (False, True) == (
        health.ok,
        health.detail.startswith(f"{place}: the store cannot be reached: the connection was refused"),
    )
    assert "check 'address'" in health.detail


def test_nothing_to_annotate_is_not_asked_for(opened: Opened, server: SocketServer) -> None:
    """The server would make a secret without a version of it."""
    asyncio.run(opened(address=server.address, token=CANARY).annotate(SECRET))
    assert [] == server.requests


def test_a_server_without_tls_is_told_as_that(opened: Opened) -> None:
    """Trying again would not help, and a write was not sent."""
    with throttling(1) as (host, port):
        backend = opened(address=f"https://{host}:{port}", token=CANARY)
        for write in (False, True):
            error = refusal(backend, write=write)
            assert errors.Unavailable is type(error)
            assert "no TLS is spoken there; check 'address'" in error.message


@pytest.mark.parametrize(("write", "kind"), [(False, errors.Unavailable), (True, errors.OutcomeUnknown)])
def test_no_answer_in_time(opened: Opened, server: SocketServer, write: bool, kind: Kind) -> None:  # noqa: FBT001
    """A read can be asked again; a write may have happened. Neither is sent twice."""
    assert kind is type(refusal(opened(address=server.address, token=CANARY, timeout=0.2), write=write))
    assert 1 == len(server.requests)


@pytest.mark.parametrize(("write", "kind"), [(False, errors.Unavailable), (True, errors.OutcomeUnknown)])
def test_a_connection_that_breaks(opened: Opened, server: SocketServer, write: bool, kind: Kind) -> None:  # noqa: FBT001
    """The request was read, then the connection closed without a word."""
    server.breaks()
    assert kind is type(refusal(opened(address=server.address, token=CANARY), write=write))
    assert 1 == len(server.requests)


STATUSES: list[tuple[int, str, Kind, Kind]] = [
    (400, "something else", errors.InvalidValue, errors.InvalidValue),
    (400, "check-and-set parameter did not match the current version", errors.Conflict, errors.Conflict),
    (400, "check-and-set parameter required for this call", errors.PreconditionRequired, errors.PreconditionRequired),
    (401, "", errors.Unauthenticated, errors.Unauthenticated),
    (403, "permission denied", errors.PermissionDenied, errors.PermissionDenied),
    (404, "no handler for route", errors.Unavailable, errors.Unavailable),
    (405, "unsupported operation", errors.Unsupported, errors.Unsupported),
    (412, "required index state not present", errors.Unavailable, errors.Unavailable),
    (413, "too large", errors.TooLarge, errors.TooLarge),
    (429, "", errors.RateLimited, errors.RateLimited),
    (302, "", errors.Unavailable, errors.OutcomeUnknown),
    (418, "", errors.Unavailable, errors.OutcomeUnknown),
    (500, "internal error", errors.Unavailable, errors.OutcomeUnknown),
    (501, "", errors.Unavailable, errors.OutcomeUnknown),
    (502, "", errors.Unavailable, errors.OutcomeUnknown),
    (503, "Vault is sealed", errors.Unavailable, errors.OutcomeUnknown),
    (504, "", errors.Unavailable, errors.OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "words", "of_read", "of_write"), STATUSES)
def test_each_status_has_its_error(
    opened: Opened, server: SocketServer, status: int, words: str, of_read: Kind, of_write: Kind
) -> None:
    """One table; the store's own words, which can quote anything, stay behind."""
    server.answers(status, f'{{"errors": ["{words} {CANARY}"]}}'.encode())
    backend = opened(address=server.address, token=CANARY)
    assert of_read is type(refusal(backend, write=False))
    assert of_write is type(refusal(backend, write=True))
    assert 2 == len(server.requests)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"data": null}', b'{"data": {"data": 1}}', b"<html>", b"{", b"[" * 99_999]
)
def test_an_answer_that_is_none(opened: Opened, server: SocketServer, body: bytes) -> None:
    """A proxy's page with status 200 is neither a missing secret nor a done write."""
    server.answers(200, body)
    backend = opened(address=server.address, token=CANARY)
    assert errors.Unavailable is type(refusal(backend, write=False))
    assert errors.OutcomeUnknown is type(refusal(backend, write=True))
    for attempt in (lambda: backend.list(ROOT), lambda: backend.describe(SECRET)):
        with pytest.raises(errors.Unavailable):
            asyncio.run(attempt())
    assert not asyncio.run(backend.health()).ok


@pytest.mark.parametrize("data", ["[]", "null", '"text"', "{}", '{"options": []}', '{"options": {"version": 2}}'])
def test_health_never_raises(opened: Opened, server: SocketServer, data: str) -> None:
    """Whatever answers in the server's place."""
    server.answers(200, f'{{"initialized": true, "sealed": false, "data": {data}}}'.encode())
    assert not asyncio.run(opened(address=server.address, token=CANARY).health()).ok


def test_health_tells_a_sealed_server(opened: Opened, server: SocketServer) -> None:
    """It answers with 503, and says why."""
    server.answers(503, b'{"initialized": true, "sealed": true}')
    health = asyncio.run(opened(address=server.address, token=CANARY).health())
    assert (False, "the store is sealed or not set up") == (health.ok, health.detail)


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>not found</html>", b'{"message": "no such service"}'])
def test_somebody_else_s_404_is_no_missing_secret(opened: Opened, server: SocketServer, body: bytes) -> None:
    """A proxy without a backend must not look like secrets that are gone, nor like deletes that are done."""
    server.answers(404, body)
    backend = opened(address=server.address, token=CANARY)
    attempts = (
        lambda: backend.read(SECRET),
        lambda: backend.list(ROOT),
        lambda: backend.delete(SECRET),
        lambda: backend.destroy(SECRET),
        lambda: backend.annotate(SECRET, labels={}),
    )
    for attempt in attempts:
        with pytest.raises(errors.Unavailable):
            asyncio.run(attempt())


@pytest.mark.parametrize(("write", "kind"), [(False, errors.Unavailable), (True, errors.OutcomeUnknown)])
def test_an_endless_answer_is_not_kept(
    opened: Opened,
    server: SocketServer,
    monkeypatch: pytest.MonkeyPatch,
    write: bool,  # noqa: FBT001  # a parameter of the test
    kind: Kind,
) -> None:
    """Past its bound, compressed or not, it is let go of."""
    monkeypatch.setattr(client, "ANSWER", exchange.Bounds(1_000, 1_000))
    backend = opened(address=server.address, token=CANARY)
    body = b'{"data": {"data": {"a": "' + b"a" * 100_000 + b'"}}}'
    server.answers(200, body)
    assert kind is type(refusal(backend, write=write))
    server.answers(200, gzip.compress(body), Content_Encoding="gzip")
    assert kind is type(refusal(backend, write=write))


def test_the_wait_a_store_asks_for_is_told(opened: Opened, server: SocketServer) -> None:
    """In seconds; a date or nonsense is left out."""
    for header, expected in (("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)):
        server.answers(429, Retry_After=header)
        error: Any = refusal(opened(address=server.address, token=CANARY), write=False)
        assert expected == error.retry_after


def test_a_redirect_does_not_carry_the_token_away(opened: Opened, server: SocketServer) -> None:
    """Whoever answers in the store's place could otherwise collect it."""
    with listening() as elsewhere:
        server.answers(307, Location=f"{elsewhere.address}/v1/secret/data/app/db")
        assert errors.Unavailable is type(refusal(opened(address=server.address, token=CANARY), write=False))
        assert [] == elsewhere.requests


def test_the_environment_says_nothing(
    opened: Opened, server: SocketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath
) -> None:
    """Not an address, a token, a namespace, a proxy, nor a token file or password file at home."""
    for name in ("VAULT_ADDR", "BAO_ADDR", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("VAULT_TOKEN", "VAULT_NAMESPACE", "BAO_TOKEN"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vault-token").write_text(CANARY)
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {CANARY} password {CANARY}")
    server.answers(404, b'{"errors": []}')
    with pytest.raises(errors.SecretNotFound):
        asyncio.run(opened(address=server.address, token="a-token").read(SECRET))
    (request,) = server.requests
    assert b"X-Vault-Token: a-token" in request
    assert CANARY.encode() not in request
    assert b"uthorization" not in request


def test_a_store_that_hangs_does_not_fill_the_memory(opened: Opened, server: SocketServer) -> None:
    """Past the threads and a bounded queue, requests are refused at once; the mount's end is the end of those."""
    backend = opened(address=server.address, token=CANARY, pool_size=1, timeout=300.0)

    async def crowd() -> list[type]:
        reads = [asyncio.ensure_future(backend.read(SECRET)) for _ in range(1 + QUEUE + 2)]
        refused = await asyncio.gather(*reads[-2:], return_exceptions=True)
        assert not any(read.done() for read in reads[:-2])
        await backend.close()
        return [type(answer) for answer in (*await asyncio.gather(*reads[:-2], return_exceptions=True), *refused)]

    answers = asyncio.run(crowd())
    assert [errors.RateLimited] * 2 == answers[-2:]
    assert {errors.Unavailable} == set(answers[:-2])
