"""``serve``: from a checked configuration to a running server, and its exit code."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sys
from collections.abc import Callable
from typing import Final

from wardgate.config import Config
from wardgate.server import listener as listening
from wardgate.server import tls
from wardgate.server.hardening import as_many_files_as_allowed, no_core_dumps
from wardgate.server.listener import Stop
from wardgate.server.supervisor import Supervisor
from wardgate.server.worker import Build
from wardgate.spi.errors import WardgateError
from wardgate.telemetry import logs

STOPPED: Final = 0
"""It ran, and ended because it was asked to."""

FAILED: Final = 1
"""It could not start or go on; one sentence on the standard error says why."""

MISUSED: Final = 2
"""The configuration cannot be used: nothing was started."""

LOCK = "server.lock"

_log = logging.getLogger(__name__)


def serve(config: Config, *, build: Build | None = None, on_ready: Callable[[str], None] | None = None) -> int:
    """Run the server until a signal stops it.

    Call it in a process without threads and with no database open: it forks.

    Args:
        config: checked.
        build: makes each worker's application; by default :func:`wardgate.app.build`.
        on_ready: called once with the server's URL, when every worker answers.

    Returns:
        STOPPED, FAILED or MISUSED.
    """
    logs.configure(config.log)
    try:
        _serve(config, build or _app_build(config), on_ready or _ignore)
    except Stop as stop:
        return _end(config, str(stop), FAILED)
    except WardgateError as error:
        return _end(config, error.message, MISUSED)
    finally:
        if config.dev and config.dev.temporary:
            shutil.rmtree(config.dev.temporary, ignore_errors=True)
    return STOPPED


def _serve(config: Config, build: Build, on_ready: Callable[[str], None]) -> None:
    no_core_dumps()
    as_many_files_as_allowed()
    os.umask(0o077)
    if config.tls:
        tls.context(config.tls)  # a worker would find the same fault, but later
    lock = _lock(config)
    listener = listening.listen(config)
    try:
        address = listening.url(listener, tls=config.tls is not None)
        Supervisor(config, build, listener, lambda: on_ready(address)).run()
    finally:
        listener.close()
        os.close(lock)


def _lock(config: Config) -> int:
    """Hold the data folder: two servers on one would share worker slots, and so audit files."""
    folder = config.runtime
    if config.dev:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        cure = "make it with wardgate init"
        if config.was_made:
            cure = f"restore it with `wardgate backup restore FILE --to {folder} --key-file {config.key_file}`"
        raise Stop(f"the data folder {folder} does not exist; {cure}, or correct its name") from None
    except OSError as error:
        raise Stop(f"the data folder {folder} cannot be used ({error.strerror}); this user must own it") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Stop(f"another server runs on the data folder {folder}; stop it or use another folder") from None
    return lock


def _app_build(config: Config) -> Build:
    from wardgate.app import build, preload  # noqa: PLC0415  # tests and tools bring their own, and need none of this

    preload(config)
    return build


def _ignore(_: str) -> None:
    pass


def _end(config: Config, sentence: str, code: int) -> int:
    if config.log.format == "json":
        _log.error(sentence, extra={"event": "ended"})
        return code
    sys.stderr.write(f"wardgate: {sentence}\n")
    return code
