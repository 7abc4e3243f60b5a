"""Why there was no connection, by whatever a library wraps it in."""

from __future__ import annotations

import socket
import ssl

import pytest
from wardgate.spi.connecting import Hindrance, causes, hindrance
from wardgate.spi.errors import Unavailable


class Wrapped(Exception):
    """As libraries wrap what failed: one way or another."""

    def __init__(self, way: str, inner: BaseException) -> None:
        super().__init__(*([inner] if way == "args" else []))
        if way == "cause":
            self.__cause__ = inner
        elif way == "kwargs":
            self.kwargs = {"endpoint": "x", "error": inner}
        elif way != "args":
            setattr(self, way, inner)


@pytest.mark.parametrize("way", ["args", "cause", "kwargs", "reason", "inner_exception"])
@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (ssl.SSLCertVerificationError(1, "canary"), Hindrance.UNTRUSTED),
        (ConnectionRefusedError(111, "canary"), Hindrance.REFUSED),
        (socket.gaierror(-2, "canary"), Hindrance.NO_HOST),
        (ConnectionResetError(104, "canary"), None),
        (TimeoutError(), None),
    ],
    ids=lambda each: type(each).__name__,
)
def test_it_is_found_however_it_is_wrapped(way: str, inner: Exception, expected: Hindrance | None) -> None:
    """Twice over; what may have come after the request was sent is no hindrance."""
    assert hindrance(Wrapped("cause", Wrapped(way, inner))) is expected


def test_what_was_being_handled_says_nothing() -> None:
    """It may be of an attempt before; and what wraps itself comes to an end."""
    broken = ConnectionResetError()
    broken.__context__ = ConnectionRefusedError()
    broken.__cause__ = broken
    assert hindrance(broken) is None
    assert causes(broken) == [broken]


def test_a_broken_handshake_is_no_tls() -> None:
    """A server that speaks in plain; outside of a handshake the same words may follow a request that was sent."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with ours, theirs, pytest.raises(ssl.SSLError) as refused:
        ssl.create_default_context().wrap_socket(ours, server_hostname="localhost")
    assert hindrance(refused.value) is Hindrance.NO_TLS
    assert hindrance(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")) is None


@pytest.mark.parametrize("obstacle", Hindrance)
def test_each_is_told_with_what_to_look_at(obstacle: Hindrance) -> None:
    """As Unavailable: nothing was sent."""
    error = obstacle.told(what="the login", address="'vault_url'")
    assert type(error) is Unavailable
    assert error.message.startswith("the login")
    assert "check 'vault_url'" in error.message
