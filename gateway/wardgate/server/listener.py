"""The listening socket, taken once by the supervisor and shared by every worker."""

from __future__ import annotations

import errno
import os
import socket

from wardgate.config import Config

BACKLOG = 2048


class Stop(Exception):
    """The server cannot start or go on; the message is one plain sentence that says what to do."""


def listen(config: Config) -> socket.socket:
    """Bind and listen, without SO_REUSEPORT: no other process may share the port and take clients' tokens.

    Raises:
        Stop: the port is taken, not allowed, or the address is not this machine's.
    """
    host, port = config.listen
    shown = f"{host}:{port}"
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise Stop(f"the name {host!r} has no address; set listen to an address of this machine") from None
    listener = socket.socket(family, kind, proto)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Stop(f"cannot listen on {shown}: {_cure(error, port)}") from None
    listener.setblocking(False)  # noqa: FBT003  # the socket module takes it so
    return listener


def url(listener: socket.socket, *, tls: bool) -> str:
    """Where clients reach it: the port that was really taken."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def _cure(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken by another program; stop it or choose another port"
        case errno.EACCES:
            return f"port {port} needs a permission this user does not have; choose a port above 1023"
        case errno.EADDRNOTAVAIL:
            return "the address is not one of this machine; choose one that is, such as 127.0.0.1"
        case code:
            return f"{os.strerror(code or 0)}; choose another address"
