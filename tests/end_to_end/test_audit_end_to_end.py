"""The audit of a whole gateway: complete over its workers, verified offline, and whole again after a kill."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.servers.gateway import Running, command, running, start


def records(gateway: Running) -> list[dict[str, Any]]:
    lines = [line for file in sorted(gateway.audit.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def verified(gateway: Running) -> subprocess.CompletedProcess[str]:
    return command("audit", "verify", str(gateway.audit), "--json")


def workers(gateway: Running) -> list[int]:
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


def test_the_clients_journal_and_the_log_reconcile_exactly() -> None:
    """Reads, writes, refusals and nonsense over two workers: each answered request has its closing record."""
    with running(plugins=["native", "vault"], workers=2) as gateway:
        before = len([record for record in records(gateway) if record["kind"] == "closing"])

        def ask(number: int) -> tuple[str, int]:
            path = f"/v1/secret/data/audit/{number % 50}"
            if number % 4 == 0:
                return "write", gateway.call("POST", path, {"data": {"n": number}}).status
            if number % 4 == 1:
                return "nonsense", gateway.call("POST", path, b"{").status
            return "read", gateway.call("GET", path).status

        with ThreadPoolExecutor(16) as pool:
            journal = Counter(pool.map(ask, range(600)))
        assert 600 == journal.total()
        assert 0 == sum(count for (_, status), count in journal.items() if status >= 500)
        assert 0 == gateway.stop()
        written = records(gateway)
        closing = [record for record in written if record["kind"] == "closing"]
        requests = [
            record for record in written if record["kind"] == "request" and record["operation"] == "WriteSecret"
        ]
        assert 600 == len(closing) - before
        assert len({record["request"] for record in closing}) == len(closing)
        assert journal["write", 200] == len(requests)
        assert journal["nonsense", 400] == sum(record["code"] == "malformed" for record in closing)
        assert 0 == verified(gateway).returncode


def test_a_killed_worker_is_replaced_and_nothing_acknowledged_is_lost() -> None:
    """Kill -9 under writers: service goes on, each acknowledged write is there and audited, the chain holds."""
    with running(plugins=["native", "vault"], workers=2) as gateway:

        def write(number: int) -> int | None:
            try:
                answer = gateway.call("POST", f"/v1/secret/data/kill/{number}", {"data": {"n": number}})
            except (OSError, http.client.HTTPException):
                return None  # the connection was cut
            return number if answer.status == 200 else None

        with ThreadPoolExecutor(8) as pool:
            first = list(pool.map(write, range(50)))
            victim = workers(gateway)[0]
            running_writes = [pool.submit(write, number) for number in range(50, 250)]
            os.kill(victim, signal.SIGKILL)
            second = [each.result() for each in running_writes]
        acknowledged = [number for number in first + second if number is not None]
        assert len(acknowledged) > 150
        for number in acknowledged:
            read = gateway.call("GET", f"/v1/secret/data/kill/{number}")
            assert {"n": number} == read.json()["data"]["data"]
        gateway.stop()
        closed = {
            record["path"] for record in records(gateway) if record["kind"] == "closing" and record["code"] == "ok"
        }
        assert set() == {f"secret/kill/{number}" for number in acknowledged} - closed
        assert 0 == verified(gateway).returncode


def test_what_a_kill_of_the_whole_gateway_left_open_is_closed_at_the_next_start() -> None:
    """No request record stays without its closing one, and the records say which changes were made."""
    with running(plugins=["native", "vault"], workers=2) as gateway:
        with ThreadPoolExecutor(8) as pool:
            writes = [
                pool.submit(gateway.call, "POST", f"/v1/secret/data/down/{number}", {"data": {"n": number}})
                for number in range(100)
            ]
            writes[20].result()
            for pid in [*workers(gateway), gateway.process.pid]:
                os.kill(pid, signal.SIGKILL)
            for each in writes:
                each.exception()
        gateway.process.wait(10)
        again = start(gateway.folder, gateway.token)
        try:
            written = records(again)
            recovered = [record for record in written if record.get("recovered")]
            for record in recovered:
                status = again.call("GET", f"/v1/{record['path'].replace('secret/', 'secret/data/', 1)}").status
                assert {"committed": 200, "absent": 404}[record["recovered"]] == status
            opened = {record["pair"] for record in written if record["kind"] == "request"}
            closed = {record["pair"] for record in written if record["kind"] == "closing" and record.get("pair")}
            assert opened <= closed
        finally:
            again.stop()
        assert 0 == verified(again).returncode


def test_an_edited_audit_is_found_and_named() -> None:
    """Verification fails with a code of its own, and says in which file and line."""
    with running(plugins=["native"], workers=1) as gateway:
        gateway.call("GET", "/api/v1/secrets/secret/x")
        gateway.stop()
        file = next(iter(gateway.audit.glob("*.jsonl")))
        lines = file.read_text().splitlines(keepends=True)
        lines[-1] = lines[-1].replace('"path":"secret/x"', '"path":"secret/y"')
        file.write_text("".join(lines))
        done = command("audit", "verify", str(gateway.audit))
        assert 1 == done.returncode
        assert f"{len(lines)}" in done.stdout + done.stderr
        assert file.name in done.stdout + done.stderr
