"""A Google Secret Manager on this machine: a public emulator in a thin wrapper, built once with Go.

The wrapper (``google_build``) corrects what the emulator does otherwise than the real service; see there.
By hand: ``python -m tests.servers.google`` prints its address and runs until it is interrupted.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers.programs import DidNotStart, child, clean_environment, go_binary


def binary() -> Path:
    """The server; see ``go_binary``."""
    return go_binary("google-secret-manager", Path(__file__).with_name("google_build"), "secret-manager")


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Start a server on a free port and stop it; gives its address, ``127.0.0.1:port``. All it keeps is in memory.

    Raises:
        CannotBuild: see :func:`binary`.
        DidNotStart: it ended without saying where it listens.
    """
    # Its switches for access control are read from the environment: none of the caller's.
    with child(binary(), env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        if not address:
            raise DidNotStart("the Secret Manager emulator ended while it was starting")
        yield address


if __name__ == "__main__":
    with running() as shown, contextlib.suppress(KeyboardInterrupt):
        print(f"endpoint: http://{shown}", flush=True)  # noqa: T201  # it is what one runs it for
        signal.pause()
