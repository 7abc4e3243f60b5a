"""Writers that are killed in the middle: the program they run in, and the hand that kills them.

The program reads lines, each a JSON object: a ``folder``, a ``mode``, and what to add to the ``environment``. A child
begins on it: it prints its process id, then a line for each thing it may count on; once it is dead, ``END`` follows.
Forking spares the loops the time to start Python.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path as FilePath
from typing import Any

ROOT = FilePath(__file__).parents[2]
END = "END"


class Writers:
    """Writers of one program, one after another. ``preload``: a library that all of them load first."""

    def __init__(self, program: str, preload: FilePath | None = None) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(preload)} if preload else None
        self._program = subprocess.Popen(  # closed in ``close``
            [sys.executable, "-m", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def killed(self, folder: FilePath, *, mode: str, after: int, **environment: str) -> set[str]:
        """Let one acknowledge ``after`` things and kill it with SIGKILL; all that it acknowledged by then."""
        said, told = self._program.stdout, self._program.stdin
        assert said
        assert told
        told.write(json.dumps({"folder": str(folder), "mode": mode, "environment": environment}) + "\n")
        told.flush()
        process = int(said.readline())
        lines = list(itertools.islice(said, after))
        os.kill(process, signal.SIGKILL)
        lines += iter(said.readline, f"{END}\n")
        return {line.rstrip("\n") for line in lines}

    def close(self) -> None:
        """End the program."""
        self._program.communicate()


def acknowledge(what: str) -> None:
    """One line, one system call: what was printed is in the pipe whatever happens next."""
    os.write(1, f"{what}\n".encode())


def serve(main: Callable[[FilePath, str], Coroutine[Any, Any, None]]) -> None:
    """One child after another, until there is no more to read. No thread runs here, so forking is safe."""
    for line in sys.stdin:
        wish = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(wish["environment"])
            acknowledge(str(os.getpid()))
            asyncio.run(main(FilePath(wish["folder"]), wish["mode"]))
            os._exit(1)
        os.waitpid(child, 0)
        acknowledge(END)
