"""A Google Secret Manager on this machine: a public emulator in a thin wrapper, built once with Go.

The wrapper (``google_build``) corrects what the emulator does otherwise than the real service; see there.
By hand: ``python -m tests.servers.google`` prints its address and runs until it is interrupted.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.openbao import STOP_SECONDS, CannotBuild, DidNotStart, _die_with_parent

MODULE = Path(__file__).with_name("google_build")


def binary() -> Path:
    """The server, built on first use, then kept under a hash of all it is built from.

    Raises:
        CannotBuild: there is no Go, or the build failed.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((MODULE / name).read_bytes())
    cache = Path(os.environ.get("WARDGATE_SERVERS_CACHE") or Path.home() / ".cache" / "wardgate-servers")
    target = cache / f"google-{digest.hexdigest()[:16]}" / "secret-manager"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / "lock").open("w") as lock:
        # Test workers that start together build once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _build(target)
    return target


def _build(target: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise CannotBuild("the Secret Manager emulator is built with Go, and there is no `go` on the path")
    unfinished = target.with_suffix(".new")
    built = subprocess.run(
        [go, "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, "."],
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise CannotBuild(f"`go build` failed in {MODULE}: {built.stderr[-2_000:]}")
    unfinished.rename(target)


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server on a free port and stop it; gives its address, ``127.0.0.1:port``. All it keeps is in memory.

    Raises:
        CannotBuild: see :func:`binary`.
        DidNotStart: it ended without saying where it listens.
    """
    process = subprocess.Popen(
        [binary()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Its switches for access control are read from the environment: none of the caller's.
        env={"PATH": os.environ.get("PATH", os.defpath)},
        text=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509  # one system call; it takes no lock
    )
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        if not address:
            raise DidNotStart("the Secret Manager emulator ended while it was starting")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


if __name__ == "__main__":
    with running() as shown, contextlib.suppress(KeyboardInterrupt):
        print(f"endpoint: http://{shown}", flush=True)  # noqa: T201  # it is what one runs it for
        signal.pause()
