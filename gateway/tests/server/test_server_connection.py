"""A connection: every byte has one reading, everything is bounded, and bad input gets a 4xx in plain JSON."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import pathlib
import resource
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADERS = b"Host: x\r\n"
CLOSE = b"Connection: close\r\n"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def server(start_toy: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One worker with short times and small bounds."""
    limits = {"header_seconds": 1.5, "body_seconds": 1.5, "idle_seconds": 30.0, "body_bytes": 100_000}
    running = start_toy(tmp_path_factory.mktemp("toy"), limits={**limits, "drain_seconds": 2.0})
    yield running
    running.process.kill()
    running.process.communicate()


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


STREAM = b"".join(
    [
        request("GET", "/1"),
        request("LIST", "/2?list=true"),
        request("PUT", "/3", body=b'{"a": "LIST / HTTP/1.1"}'),
        request("SCAN", "/4"),
        request("POST", "/5", body=b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        request("LINK", "/6"),
        request("LIST", "/7", "Connection: close"),
    ]
)
EXPECTED = [
    ("GET", "/1", ""),
    ("LIST", "/2", ""),
    ("PUT", "/3", '{"a": "LIST / HTTP/1.1"}'),
    ("SCAN", "/4", ""),
    ("POST", "/5", "\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    ("LINK", "/6", ""),
    ("LIST", "/7", ""),
]


def seen(answers: list[tuple[int, dict[str, str], bytes]]) -> list[tuple[str, str, str]]:
    told = [json.loads(body) for _, _, body in answers]
    return [(each["method"], each["raw_path"], each["body"]) for each in told]


def refusals(answers: list[tuple[int, dict[str, str], bytes]]) -> list[int]:
    """The statuses, after a look at the form of each refusal."""
    for status, headers, body in answers:
        if status >= 400:
            assert headers["content-type"] == "application/json"
            assert headers["cache-control"] == "no-store"
            [sentence] = json.loads(body)["errors"]
            assert sentence
    return [status for status, _, _ in answers]


def test_verbs_alternate_on_one_kept_connection(server: Any) -> None:
    """GET LIST GET SCAN PUT, each sent after the last was answered."""
    with server.connect() as client:
        for method in ("GET", "LIST", "GET", "SCAN", "PUT"):
            client.sendall(request(method, "/a"))
            assert b'"method": "%s"' % method.encode() in client.recv(65536)


def test_requests_sent_ahead_are_answered_in_order(server: Any) -> None:
    """Pipelining, with verbs the parser does not know and bodies that look like requests."""
    assert seen(server.send(STREAM)) == EXPECTED


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, len(STREAM) - 1), max_size=12, unique=True))
def test_where_packets_end_changes_nothing(server: Any, cuts: list[int]) -> None:
    """Any cut of a stream into packets reads as the same requests."""
    edges = [0, *sorted(cuts), len(STREAM)]
    assert seen(server.send(*(STREAM[a:b] for a, b in itertools.pairwise(edges)))) == EXPECTED


def test_a_head_sent_byte_by_byte_is_read(server: Any) -> None:
    """The first bytes alone say nothing, and nothing is lost."""
    stream = request("LIST", "/slowly", "Connection: close")
    assert seen(server.send(*(bytes([byte]) for byte in stream))) == [("LIST", "/slowly", "")]


def test_a_chunked_body_is_read_and_the_connection_kept(server: Any) -> None:
    """Chunked bodies, then another verb on the same connection."""
    with server.connect() as client:
        client.sendall(CHUNKED + b"\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        assert b'"body": "abcde"' in client.recv(65536)
        client.sendall(request("LIST", "/a"))
        assert b'"method": "LIST"' in client.recv(65536)


def test_what_follows_a_chunked_body_in_its_packet_is_not_read(server: Any) -> None:
    """Nobody says where such a body ended, so the connection closes after its answer."""
    stream = CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n" + request("GET", "/smuggled")
    assert seen(server.send(stream)) == [("POST", "/c", "abc")]


def test_an_old_client_is_answered_and_closed(server: Any) -> None:
    """HTTP/1.0, without a Host."""
    assert seen(server.send(b"GET /old HTTP/1.0\r\n\r\n")) == [("GET", "/old", "")]


def test_a_client_that_waits_for_continue_gets_it(server: Any) -> None:
    """Expect: 100-continue."""
    with server.connect() as client:
        client.sendall(request("PUT", "/e", "Expect: 100-continue", "Content-Length: 2"))
        assert client.recv(65536).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"hi")
        assert b'"body": "hi"' in client.recv(65536)


def test_a_wish_to_upgrade_is_ignored_and_its_body_stays_a_body(server: Any) -> None:
    """Java's client asks for h2c in its first request; its body must not become the next request."""
    body = request("GET", "/smuggled")
    wish = request("PUT", "/j", "Connection: Upgrade, close", "UPGRADE: h2c", body=body)
    assert seen(server.send(wish)) == [("PUT", "/j", body.decode())]


def test_an_empty_line_between_requests_is_skipped(server: Any) -> None:
    """Some clients end a body with one."""
    stream = request("GET", "/1") + b"\r\n" + request("GET", "/2", "Connection: close")
    assert seen(server.send(stream)) == [("GET", "/1", ""), ("GET", "/2", "")]


def test_spaces_around_a_value_are_no_part_of_it(server: Any) -> None:
    """A token is compared by its bytes."""
    [(_, _, body)] = server.send(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Vault-Token: \t t \t\r\nA:\r\nConnection: close\r\n\r\n"
    )
    assert ["x-vault-token", "t"] in json.loads(body)["headers"]
    assert ["a", ""] in json.loads(body)["headers"]


BAD_HEADS = {
    "repeated authorization": b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAUTHORIZATION: a\r\n\r\n",
    "repeated coding": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Encoding: a\r\nContent-Encoding: b\r\n\r\n",
    "repeated type": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n",
    "repeated host": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "repeated length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "listed length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na",
    "signed length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
    "negative length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\na",
    "hexadecimal length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na",
    "empty length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\na",
    "endless length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\na",
    "length and chunks": CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "chunks and length": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "gzip, chunked": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "xchunked": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "vertical tab before chunked": b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "space before colon": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length : 1\r\n\r\na",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "folded with a tab": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\r\nHost: x\nX-Vault-Token: a\r\n\r\n",
    "bare LF ends the line": b"GET / HTTP/1.1\nHost: x\r\n\r\n",
    "bare CR": b"GET / HTTP/1.1\r\nHost: x\rX-Vault-Token: a\r\n\r\n",
    "LF LF ends the head": b"GET / HTTP/1.1\r\nHost: x\n\nGET /b HTTP/1.1\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "absolute form": b"GET http://x/v1/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority form": b"GET x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment": b"GET /v1/a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment in the query": b"GET /v1/a?b#c HTTP/1.1\r\nHost: x\r\n\r\n",
    "no leading slash": b"GET v1/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw UTF-8": b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "space in the target": b"GET /v1/a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab": b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT to a path": b"CONNECT /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "no version": b"GET /\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: x\r\n\r\n",
    "HTTP/2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2 to a path": b"PRI /x HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
    "another protocol": b"GET / RTSP/1.0\r\nHost: x\r\n\r\n",
    "unknown verb": b"FROB / HTTP/1.1\r\nHost: x\r\n\r\n",
    "small verb": b"list / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200 + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD_HEADS)
def test_a_head_that_could_be_read_in_two_ways_is_refused(server: Any, case: str) -> None:
    """One 400, and nothing after it is read."""
    assert refusals(server.send(BAD_HEADS[case] + request("GET", "/smuggled"))) == [400]


@pytest.mark.parametrize("case", ["repeated authorization", "length and chunks", "fragment", "unknown verb"])
def test_a_bad_request_after_a_good_one_is_refused_after_its_answer(server: Any, case: str) -> None:
    """Answers keep their order."""
    assert refusals(server.send(request("GET", "/1") + BAD_HEADS[case])) == [200, 400]


BAD_CHUNKS = {
    "not hexadecimal": b"\r\nxyz\r\nabc\r\n0\r\n\r\n",
    "signed": b"\r\n+3\r\nabc\r\n0\r\n\r\n",
    "0x": b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "overflow": b"\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "shorter than said": b"\r\n2\r\nabc\r\n0\r\n\r\n",
    "bare LF": b"\r\n3\nabc\n0\n\n",
    "trailer": b"\r\n3\r\nabc\r\n0\r\nX-Vault-Token: t\r\n\r\n",
    "endless extension": b"\r\n3;" + b"x" * 200_000,
    "endless extensions": b"\r\n" + (b"1;" + b"x" * 5_000 + b"\r\na\r\n") * 100,
}


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_bad_chunks_are_refused(server: Any, case: str) -> None:
    """The application learns that its client is gone; the client gets one 400."""
    assert refusals(server.send(CHUNKED + BAD_CHUNKS[case])) == [400]


def test_headers_over_the_bound_are_refused(server: Any) -> None:
    """One byte less passes."""
    fixed = len(request("GET", "/", "A: ", "Connection: close"))
    fits = "A: " + "x" * (32 * 1024 - fixed)
    assert refusals(server.send(request("GET", "/", fits, "Connection: close"))) == [200]
    assert refusals(server.send(request("GET", "/", fits + "x", "Connection: close"))) == [431]
    assert refusals(server.send(request("GET", "/", *["A: b"] * 200))) == [431]


def test_huge_headers_take_no_memory(server: Any) -> None:
    """32 MiB of headers, with and without an end in sight, leave the worker as it was."""
    worker = server.ask()["pid"]
    before = rss(worker)
    for head in (b"GET / HTTP/1.1\r\nA: ", b"GET /", b"x"):
        flood(server, head)
    assert rss(worker) - before < 8 * 1024 * 1024


def flood(server: Any, head: bytes) -> None:
    with server.connect() as client, contextlib.suppress(ConnectionError):
        client.sendall(head)
        for _ in range(512):
            client.sendall(b"x" * 65536)


def rss(pid: int) -> int:
    [line] = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line]
    return int(line.split()[1]) * 1024


def test_half_sent_headers_are_cut_off(server: Any) -> None:
    """Whoever opens a request has to end its head in time."""
    assert refusals(server.send(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")) == [408]
    assert refusals(server.send(request("GET", "/") + b"LIS")) == [200, 408]


def test_a_half_sent_body_is_cut_off(server: Any) -> None:
    """With a length and in chunks."""
    assert refusals(server.send(request("PUT", "/", "Content-Length: 10") + b"abc")) == [408]
    assert refusals(server.send(CHUNKED + b"\r\n5\r\nab")) == [408]


def test_large_bodies_are_refused(server: Any) -> None:
    """At once by their length, and as soon as chunks pass the bound; one byte less passes."""
    assert refusals(server.send(request("PUT", "/", CLOSE.decode().strip(), body=b"x" * 100_000))) == [200]
    assert refusals(server.send(request("PUT", "/", "Content-Length: 100001"))) == [413]
    assert refusals(server.send(request("PUT", "/", body=b"x" * 300_000))) == [413]
    assert refusals(server.send(CHUNKED + b"\r\n" + b"2710\r\n" + (b"x" * 10_000 + b"\r\n2710\r\n") * 11)) == [413]


def test_a_compressed_body_is_refused(server: Any) -> None:
    """A bomb is never opened."""
    bomb = gzip.compress(b"\0" * 1_000_000)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, identity", "x"):
        stream = request("PUT", "/", f"Content-Encoding: {coding}", "Connection: close", body=bomb)
        assert refusals(server.send(stream)) == [415]


def test_an_error_of_the_application_shows_nothing(server: Any) -> None:
    """A 500 with the request's id, and the connection lives on."""
    [(status, _, body), _] = server.send(request("GET", "/boom") + request("GET", "/", "Connection: close"))
    assert status == 500
    assert b"canary" not in body


def test_two_thousand_idle_connections_hold_nobody_up(server: Any) -> None:
    """Kept-alive connections cost memory only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4_000)), hard))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(2_000)]
        for client in clients:
            client.sendall(request("GET", "/"))
        for client in clients:
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.ask("/after")["raw_path"] == "/after"
        clients[0].sendall(request("LIST", "/again"))
        assert b'"method": "LIST"' in clients[0].recv(65536)


VALID = [*BAD_HEADS.values(), STREAM, CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n"]


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Requests with pieces cut out, doubled, swapped or replaced; or plain garbage."""
    stream = bytearray(draw(st.sampled_from(VALID) | st.binary(max_size=300)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(stream)))
        end = draw(st.integers(at, min(len(stream), at + 20)))
        stream[at:end] = draw(st.sampled_from([b"", b"\r\n", b"\n", b"\0", b"\xff", b" ", bytes(stream[at:end]) * 2])
                              | st.binary(max_size=8))  # fmt: skip
    return bytes(stream)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=mangled())
def test_garbage_gets_a_4xx_or_nothing(server: Any, stream: bytes) -> None:
    """Nothing answers 500 or more, nothing hangs, and what is refused is refused in plain JSON."""
    with server.connect() as client:
        client.sendall(stream)
        client.shutdown(socket.SHUT_WR)
        from_server = client.recv(65536)
    if from_server:
        status = int(from_server.split(b" ")[1])
        assert status < 500
    assert server.process.poll() is None


def test_the_worker_is_the_same_one_after_all_that(server: Any) -> None:
    """No worker died and was replaced."""
    from wardgate.server.control import ask  # noqa: PLC0415

    [worker] = ask(server.folder / "data", "status")["workers"]
    assert worker["restarts"] == 0
