"""A running ``wardgate dev``, and the environment of a reader who pasted its lines into a shell."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

COMMANDS = Path(sys.executable).parent


@contextlib.contextmanager
def running_dev(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """Started in ``folder`` on any free port; yields a clean environment with the variables that it exports."""
    command = [str(COMMANDS / "wardgate"), "dev", "--listen", "127.0.0.1:0", "--json", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            clean = {
                name: text for name, text in os.environ.items() if not name.startswith(("VAULT_", "BAO_", "WARDGATE_"))
            }
            address, token = told["address"], told["token"]
            exported = {f"{name}_{kind}": text for name in ("WARDGATE", "VAULT") for kind, text in
                        (("ADDR", address), ("TOKEN", token))}  # fmt: skip
            yield {**clean, **exported, "HOME": str(folder), "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def shell(script: str, folder: Path, environment: dict[str, str]) -> str:
    """What a shell that stops at the first failure says, both streams together."""
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    return ended.stdout
