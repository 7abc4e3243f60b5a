"""Programs that tests start: built on first use and then kept, ended with whoever started them.

What is built is kept in ``$WARDGATE_SERVERS_CACHE`` (default ``~/.cache/wardgate-servers``) under a hash of all it is
built from.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

STOP_SECONDS = 10.0
FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath")


class CannotBuild(Exception):
    """The program is not there and cannot be built here; the message says why."""


class DidNotStart(Exception):
    """The server ended, or did not answer in time; the message says what is known."""


def kept(name: str, made_from: bytes, done: str, build: Callable[[Path], None]) -> Path:
    """The file ``done`` in the folder of this name, in which ``build`` makes it unless it is there.

    However many processes ask for it at a time, one builds and the others wait.

    Raises:
        CannotBuild: from ``build``; nothing half made is taken for built.
    """
    cache = Path(os.environ.get("WARDGATE_SERVERS_CACHE") or Path.home() / ".cache" / "wardgate-servers")
    folder = cache / f"{name}-{hashlib.sha256(made_from).hexdigest()[:16]}"
    if not (folder / done).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / done).exists():
                build(folder)
    return folder / done


def go_binary(name: str, module: Path, command: str, *, ldflags: str = "-s -w", package: str = ".") -> Path:
    """The command that the Go module in this folder builds; a new machine takes minutes for it, once.

    ``package``: its own, or one of a module that it requires.

    Raises:
        CannotBuild: there is no Go, or the build failed.
    """

    def build(folder: Path) -> None:
        go = shutil.which("go")
        if go is None:
            raise CannotBuild(f"{name} is built with Go, and there is no `go` on the path; install Go 1.24 or newer")
        unfinished = folder / f"{command}.new"
        words: list[str | Path] = [go, "build", *FLAGS, "-ldflags", ldflags, "-o", unfinished, package]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        built = subprocess.run(words, cwd=module, env=environment, capture_output=True, text=True, check=False)
        if built.returncode:
            raise CannotBuild(f"`go build` failed in {module}: {built.stderr[-2_000:]}")
        unfinished.rename(folder / command)

    files = sorted(path for path in module.iterdir() if path.is_file())
    return kept(name, b"".join([ldflags.encode(), *(path.read_bytes() for path in files)]), command, build)


@contextlib.contextmanager
def child(
    *command: str | Path, env: Mapping[str, str], stdout: int | IO[bytes], stderr: int | IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, or with this process, however that ends."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=env,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # one system call; it takes no lock
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def clean_environment(**more: str) -> dict[str, str]:
    """None of the caller's settings but where commands are."""
    return {"PATH": os.environ.get("PATH", os.defpath), **more}


def _die_with_parent() -> None:
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
