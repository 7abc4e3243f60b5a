"""Stores, and ways to them, that mean harm: what was sent is never told as not sent, and nothing goes on for ever."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trustme
from tests.servers.aws_answers import LOST, Answer, answering
from tests.servers.aws_harness import opened
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.names import Names
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Expect, Value
from wardgate_aws import client as client_module
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER

pytestmark = pytest.mark.usefixtures("some_credentials")
SECRET = Path.parse("team/database")
VALUE = Value(b"value")
PATIENCE = 30
FIRST = "1" * 32
STORES = [pytest.param(SECRETS_MANAGER, id="secrets-manager"), pytest.param(PARAMETER_STORE, id="parameter-store")]
LISTS = {"ListSecrets": "SecretList", "DescribeParameters": "Parameters"}


@contextlib.contextmanager
def breaking(tls: ssl.SSLContext) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads each request whole, then says what is no TLS. Yields its URL and the requests."""
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), tls.wrap_socket(plain, server_side=True) as secure:
                told = b""
                while b"\r\n\r\n" not in told or b"team" not in told:
                    told += secure.recv(65_536)
                heard.append(told)
                socket.socket.send(secure, b"HTTP/1.1 200 OK\r\n\r\nin plain")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}", heard
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)


@pytest.mark.parametrize("kind", STORES)
def test_tls_that_breaks_after_the_request_is_no_refusal(kind: BackendType, tmp_path: FilePath) -> None:
    """The store may have done it: a write is unknown, and nobody is sent to look at the certificate."""
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def asked(url: str) -> None:
        backend = opened(kind, url, timeout=2.0, ca_file=str(tmp_path / "ca.pem"))
        with pytest.raises(OutcomeUnknown):
            await backend.write(SECRET, VALUE)
        with pytest.raises(Unavailable) as told:
            await backend.read(SECRET)
        assert "certificate" not in told.value.message
        await backend.close()

    with breaking(tls) as (url, heard):
        asyncio.run(asked(url))
    assert heard


def compared(action: str, asked: dict[str, Any], *private: str) -> Answer:
    """Of a secret whose current version is ``FIRST``, with private labels that were left."""
    if action == "DescribeSecret":
        return Answer(body={"Name": "x", "VersionIdsToStages": {FIRST: ["AWSCURRENT", *private]}})
    return Answer(body={"Name": "x", "VersionId": asked.get("ClientRequestToken"), "VersionStages": []})


def test_a_private_label_goes_though_its_write_is_unclear() -> None:
    """The store may have put it there; twenty of them are all that a secret can have."""
    dropped = []

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        if action == "UpdateSecretVersionStage":
            dropped.append(asked["VersionStage"])
        return LOST if action == "PutSecretValue" else compared(action, asked)

    async def asked(url: str) -> None:
        backend = opened(SECRETS_MANAGER, url, timeout=2.0)
        with pytest.raises(OutcomeUnknown):
            await backend.write(SECRET, VALUE, expect=Expect(FIRST))
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))
    assert len(dropped) == 1
    assert dropped[0].startswith("wardgate-")


def test_private_labels_that_were_left_go_before_the_next_write() -> None:
    """All of them, or there would soon be no room for one."""
    left = [f"wardgate-{number}" for number in range(19)]
    dropped: list[str] = []

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        if action == "UpdateSecretVersionStage" and "MoveToVersionId" not in asked:
            assert asked["RemoveFromVersionId"] == FIRST or "PutSecretValue" in endpoint.asked
            dropped.append(asked["VersionStage"])
        if action == "PutSecretValue":
            assert sorted(dropped) == sorted(left)
        return compared(action, asked, *left)

    async def asked(url: str) -> None:
        backend = opened(SECRETS_MANAGER, url)
        await backend.write(SECRET, VALUE, expect=Expect(FIRST))
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))
        assert endpoint.asked.count("PutSecretValue") == 1


def test_who_goes_away_does_not_wait_for_a_private_label() -> None:
    """It is dropped all the same, in a time of its own."""
    moving, dropping, over = threading.Event(), threading.Event(), threading.Event()

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        if action == "UpdateSecretVersionStage":
            (moving if "MoveToVersionId" in asked else dropping).set()
            over.wait(PATIENCE)
        return compared(action, asked)

    async def asked(url: str) -> None:
        backend = opened(SECRETS_MANAGER, url)
        writing = asyncio.ensure_future(backend.write(SECRET, VALUE, expect=Expect(FIRST)))
        assert await asyncio.to_thread(moving.wait, PATIENCE)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert not over.is_set()
        assert await asyncio.to_thread(dropping.wait, PATIENCE)
        over.set()
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("tokens", [["a"], ["a", "b", "c"]], ids=["at once", "in a ring"])
def test_a_list_that_goes_round_ends(kind: BackendType, tokens: list[str]) -> None:
    """A token that was there before leads nowhere new."""

    def answer(action: str, _: dict[str, Any]) -> Answer:
        return Answer(body={LISTS[action]: [], "NextToken": tokens[len(endpoint.asked) % len(tokens)]})

    async def asked(url: str) -> None:
        backend = opened(kind, url)
        with pytest.raises(Unavailable):
            await backend.list(ROOT)
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))
        assert len(endpoint.asked) == len(tokens) + 1


@pytest.mark.parametrize("kind", STORES)
def test_a_list_without_an_end_ends(kind: BackendType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each page has a token of its own."""
    monkeypatch.setattr(client_module, "MAX_PAGES", 5)

    def answer(action: str, _: dict[str, Any]) -> Answer:
        return Answer(body={LISTS[action]: [], "NextToken": str(len(endpoint.asked))})

    async def asked(url: str) -> None:
        backend = opened(kind, url)
        with pytest.raises(Unavailable):
            await backend.list(ROOT)
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))
        assert len(endpoint.asked) == 5


@pytest.mark.parametrize("kind", STORES)
def test_plain_http_goes_through_no_proxy(kind: BackendType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values would travel in plain to wherever the environment points."""

    def answer(action: str, _: dict[str, Any]) -> Answer:
        return Answer(body={LISTS[action]: []})

    async def asked(url: str) -> None:
        backend = opened(kind, url)
        await backend.list(ROOT)
        await backend.close()

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with answering(lambda *_: LOST) as proxy, answering(answer) as endpoint:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        asyncio.run(asked(endpoint.url))
        assert endpoint.asked
        assert not proxy.asked


@pytest.mark.parametrize("kind", STORES)
def test_names_are_gone_through_in_a_thread(kind: BackendType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of thousands of them would hold up the loop."""
    used: set[int] = set()
    real = Names.path_of

    def path_of(self: Names, name: str) -> Path | None:
        used.add(threading.get_ident())
        return real(self, name)

    monkeypatch.setattr(Names, "path_of", path_of)

    async def asked(url: str) -> None:
        backend = opened(kind, url)
        assert (await backend.list(ROOT)).entries
        await backend.close()

    with answering(lambda action, _: Answer(body={LISTS[action]: [{"Name": "name"}]})) as endpoint:
        asyncio.run(asked(endpoint.url))
    assert used
    assert threading.get_ident() not in used


class Slow:
    """A clock that goes on half a second each time it is looked at, and tells of it."""

    def __init__(self) -> None:
        self.looked = threading.Semaphore(0)
        self._at = 0.0

    def now(self) -> int:
        """Always the same."""
        return 0

    def monotonic(self) -> float:
        """Half a second later than before."""
        self._at += 0.5
        self.looked.release()
        return self._at


@contextlib.contextmanager
def saying(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads the head of each request, and then does as ``answer`` says. Yields its URL and the heads."""
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            heard.append(connection.recv(65_536))
            answer(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", heard
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)


@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_trickles_holds_nobody(kind: BackendType) -> None:
    """A byte within each timeout is no answer: the whole request has its time, and is not repeated after that."""
    clock = Slow()

    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while clock.looked.acquire(timeout=PATIENCE):
            connection.sendall(b"x")

    async def asked(url: str) -> None:
        options = kind.options(region="eu-central-1", endpoint=url, timeout=5.0)
        backend = kind.open(options, cast("Any", SimpleNamespace(clock=clock)))
        with pytest.raises(Unavailable):
            await backend.read(SECRET)
        await backend.close()

    with saying(trickle) as (url, heard):
        asyncio.run(asked(url))
        assert len(heard) == 1


@pytest.mark.parametrize("kind", STORES)
def test_an_answer_has_a_length(kind: BackendType, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that goes on is not read to its end."""
    monkeypatch.setattr(client_module, "MAX_ANSWERS", 100_000)

    def answer(action: str, _: dict[str, Any]) -> Answer:
        return Answer(body={LISTS[action]: [{"Name": "name", "Description": "x" * 200_000}]})

    async def asked(url: str) -> None:
        backend = opened(kind, url)
        with pytest.raises(Unavailable):
            await backend.list(ROOT)
        await backend.close()

    with answering(answer) as endpoint:
        asyncio.run(asked(endpoint.url))


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("closed", [False, True], ids=["cancelled", "closed"])
def test_who_goes_away_takes_the_request_along(kind: BackendType, *, closed: bool) -> None:
    """Its thread is free at once for others: the connection is cut, not waited for."""
    arrived, cut = threading.Event(), threading.Event()

    def silent(connection: socket.socket) -> None:
        arrived.set()
        while connection.recv(65_536):
            pass
        cut.set()

    async def asked(url: str) -> None:
        backend = opened(kind, url, timeout=300.0)
        reading = asyncio.ensure_future(backend.read(SECRET))
        assert await asyncio.to_thread(arrived.wait, PATIENCE)
        if closed:
            await backend.close()
            with pytest.raises(Unavailable):
                await reading
        else:
            reading.cancel()
        assert await asyncio.to_thread(cut.wait, PATIENCE)
        await backend.close()

    with saying(silent) as (url, heard):
        asyncio.run(asked(url))
        assert len(heard) == 1
