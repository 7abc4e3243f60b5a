"""The supervisor: workers come back, requests under way end, and what cannot start says why in one sentence."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme
from wardgate.server.control import ask
from wardgate.server.hardening import no_core_dumps
from wardgate.spi.errors import Unavailable

from tests.support.waiting import until

Toy = Callable[..., Any]


def status(toy: Any) -> dict[str, Any]:
    return ask(toy.folder / "data", "status")


def test_a_killed_worker_is_replaced_in_its_slot(toy: Toy) -> None:
    """The new one has the slot and the epochs of the old, and a boot id of its own."""
    server = toy(workers=2)
    epoch = server.ask("/bump")["epoch"]
    before = status(server)["workers"]
    os.kill(before[1]["pid"], signal.SIGKILL)

    after = until(lambda: (new := status(server)["workers"]) and new[1]["ready"] and new[1]["restarts"] and new)
    assert before[0] == {**after[0], "seconds": before[0]["seconds"]}
    assert before[1]["boot_id"] != after[1]["boot_id"]
    told = until(lambda: (told := server.ask("/"))["slot"] == 1 and told)
    assert (told["pid"], told["boot_id"]) == (after[1]["pid"], after[1]["boot_id"])
    assert epoch == told["epoch"]
    code, errors = server.stop()
    assert code == 0
    assert "was ended by SIGKILL; a new one starts" in errors


def test_a_bump_is_seen_by_every_worker(toy: Toy) -> None:
    """The page is one for all workers."""
    server = toy(workers=2)
    epoch = server.ask("/bump")["epoch"]
    seen = {0: 0, 1: 0}
    while not all(seen.values()):
        told = server.ask("/")
        seen[told["slot"]] = told["epoch"]
    assert seen == {0: epoch, 1: epoch}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered_before_the_end(toy: Toy, number: signal.Signals) -> None:
    """Stop: no new connection, the old answer, then the application drains."""
    server = toy(workers=2)
    with server.connect() as client, server.connect() as idle:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        until((server.folder / "slow-began").exists)
        server.process.send_signal(number)
        assert idle.recv(1) == b""
        until(lambda: refused(server))
        (server.folder / "go").touch()
        received = client.recv(65536)
        assert received.startswith(b"HTTP/1.1 200 ")
        assert client.recv(1) == b""
    assert server.ended() == (0, "")
    assert sorted(file.name for file in server.folder.glob("drained-*")) == ["drained-0", "drained-1"]


def refused(server: Any) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_stop_at_any_moment_of_the_start_is_heeded(spawn_toy: Toy, tmp_path: pathlib.Path) -> None:
    """As soon as the control socket is there, before any worker can be ready."""
    process = spawn_toy(tmp_path, workers=4)
    until((tmp_path / "data" / "control.sock").exists)
    began = time.monotonic()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode in {0, -signal.SIGTERM}
    assert time.monotonic() - began < 20


def test_a_request_that_never_ends_is_cut(toy: Toy) -> None:
    """Draining has its own deadline."""
    server = toy(limits={"drain_seconds": 1.0})
    with server.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        until((server.folder / "slow-began").exists)
        code, _ = server.stop()
    assert code == 0
    assert (server.folder / "drained-0").exists()


def test_reload_replaces_every_worker_and_loses_no_request(toy: Toy) -> None:
    """SIGHUP and the control socket do the same."""
    server = toy(workers=2)
    before = {worker["boot_id"] for worker in status(server)["workers"]}
    failures: list[Exception] = []
    done = threading.Event()

    def client() -> None:
        while not done.is_set():
            try:
                server.ask("/")
            except Exception as error:  # noqa: BLE001  # any is a lost request
                failures.append(error)

    thread = threading.Thread(target=client)
    thread.start()
    try:
        assert ask(server.folder / "data", "reload") == {"replacing": 2}
        until(lambda: all(each["ready"] and each["boot_id"] not in before for each in status(server)["workers"]))
        middle = {worker["boot_id"] for worker in status(server)["workers"]}
        server.process.send_signal(signal.SIGHUP)
        until(lambda: all(each["ready"] and each["boot_id"] not in middle for each in status(server)["workers"]))
    finally:
        done.set()
        thread.join()
    assert failures == []


def test_workers_end_with_a_killed_supervisor(toy: Toy) -> None:
    """No worker serves on without one."""
    server = toy(workers=2)
    pids = [worker["pid"] for worker in status(server)["workers"]]
    server.process.kill()
    until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() and alive(pid) for pid in pids))


def alive(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return ") Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    return False


def test_the_control_socket_is_its_owners_alone(toy: Toy) -> None:
    """0600, refuses what it does not know, and goes away with the server."""
    server = toy()
    file = server.folder / "data" / "control.sock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ask(server.folder / "data", "statu") == {"error": "unknown command 'statu'; did you mean 'status'?"}
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(file))
        client.sendall(b"[" * 100_000)
        assert b"error" in client.recv(65536)
    assert server.stop()[0] == 0
    assert not file.exists()
    with pytest.raises(Unavailable, match="no server answers"):
        ask(server.folder / "data", "status")


def test_workers_leave_no_core(toy: Toy) -> None:
    """RLIMIT_CORE is 0 in every process; a process that calls this is not dumpable."""
    server = toy()
    for pid in (server.process.pid, status(server)["workers"][0]["pid"]):
        limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
        [line] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert line.split()[4:6] == ["0", "0"]
    child = os.fork()
    if child == 0:
        no_core_dumps()
        os._exit(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def one_sentence(process: Any) -> tuple[int, str]:
    output, errors = process.communicate(timeout=60)
    assert output == ""
    [sentence] = errors.splitlines()
    return process.returncode, sentence


def test_a_busy_port_is_said_in_one_sentence(toy: Toy, spawn_toy: Toy, tmp_path: pathlib.Path) -> None:
    """Exit code 1."""
    port = toy().port
    (tmp_path / "other").mkdir()
    code, sentence = one_sentence(spawn_toy(tmp_path / "other", listen=f"127.0.0.1:{port}"))
    assert code == 1
    expected = (
        f"cannot listen on 127.0.0.1:{port}: port {port} is taken by another program; stop it or choose another port"
    )
    assert f"wardgate: {expected}" == sentence


def test_a_second_server_on_one_folder_is_refused(toy: Toy, spawn_toy: Toy) -> None:
    """Two would write one audit shard."""
    code, sentence = one_sentence(spawn_toy(toy().folder))
    assert code == 1
    assert "another server runs on the data folder" in sentence


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"make_data": False}, 1, "does not exist; make it with wardgate init"),
        ({"listen": "127.0.0.1:0", "tls": ["no.pem", "no.key"]}, 2, "no.pem: cannot be read (No such file"),
    ],
)
def test_what_cannot_start_says_why(
    spawn_toy: Toy, tmp_path: pathlib.Path, asked: dict[str, Any], code: int, said: str
) -> None:
    """One sentence, and an exit code: 2 for the configuration, 1 for the rest."""
    assert (code, True) == ((told := one_sentence(spawn_toy(tmp_path, **asked)))[0], said in told[1])


def test_an_application_that_cannot_start_says_why(spawn_toy: Toy, tmp_path: pathlib.Path) -> None:
    """One sentence, though two workers found the same fault."""
    (tmp_path / "sealed").touch()
    told = one_sentence(spawn_toy(tmp_path, workers=2))
    assert told == (1, "wardgate: the key file is missing; put it back")


def test_a_defect_at_start_shows_where_but_not_what(spawn_toy: Toy, tmp_path: pathlib.Path) -> None:
    """An error's own text may hold what it worked on."""
    (tmp_path / "broken").touch()
    code, sentence = one_sentence(spawn_toy(tmp_path))
    assert code == 1
    assert "ValueError at " in sentence
    assert "canary" not in sentence


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def test_tls_with_and_without_a_clients_certificate(toy: Toy, authority: trustme.CA, tmp_path: pathlib.Path) -> None:
    """A certificate that counts reaches the application; none is fine; a stranger's ends the handshake."""
    own = authority.issue_cert("localhost", "127.0.0.1")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = toy(tls=[str(tmp_path / name) for name in ("cert.pem", "key.pem", "ca.pem")])
    assert server.url.startswith("https://127.0.0.1:")

    def certificate(client: trustme.LeafCert | None) -> int:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        if client:
            client.configure_cert(context)
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=20)
        with contextlib.closing(connection):
            connection.request("LIST", "/a")
            told = json.load(connection.getresponse())
            assert told["method"] == "LIST"
            return int(told["certificate"])

    known = authority.issue_cert("client@example.org")
    assert certificate(None) == 0
    assert certificate(known) == len(ssl.PEM_cert_to_DER_cert(known.cert_chain_pems[0].bytes().decode()))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        certificate(trustme.CA().issue_cert("client@example.org"))
    with server.connect() as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(65536).startswith(b"HTTP/")


def test_a_burst_of_clients_is_shared_between_the_workers(toy: Toy) -> None:
    """Sixty connections opened at once: no worker serves nearly all of them."""
    server = toy(workers=2)
    slots = []
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(60)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            slots.append(json.loads(client.recv(65536).partition(b"\r\n\r\n")[2])["slot"])
    assert 20 <= slots.count(0) <= 40
