"""Why there was no connection to a store, in one set of sentences for all plugins. Nothing was sent then."""

from __future__ import annotations

import enum
import socket
import ssl
import traceback

from wardgate.spi.errors import Unavailable


class Hindrance(enum.Enum):
    """What was in the way."""

    UNTRUSTED = "{what}'s certificate is not trusted; check {address} and {authority}"
    NO_TLS = "{what} cannot be reached: no TLS is spoken there; check {address}: the port, and http:// or https://"
    REFUSED = "{what} cannot be reached: the connection was refused; check {address}, and that it runs"
    NO_HOST = "{what} cannot be reached: there is no such host; check {address}"

    def told(self, *, address: str, what: str = "the store", authority: str = "'ca_file'") -> Unavailable:
        """As an error. ``address`` and ``authority``: what to look at, such as options in their quotes."""
        return Unavailable(self.value.format(what=what, address=address, authority=authority))


def hindrance(problem: BaseException) -> Hindrance | None:
    """What was in the way of the connection, where the exception says so for certain."""
    for cause in causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Hindrance.UNTRUSTED
        # Later on it may be an answer that was broken into, and the request was sent.
        if isinstance(cause, ssl.SSLError) and _in_handshake(cause):
            return Hindrance.NO_TLS
        if isinstance(cause, ConnectionRefusedError):
            return Hindrance.REFUSED
        if isinstance(cause, socket.gaierror):
            return Hindrance.NO_HOST
    return None


def causes(problem: BaseException) -> list[BaseException]:
    """The exception and those wrapped in it: libraries keep them as causes, as arguments and under names of their own.

    What was merely being handled when it was raised is not among them: it may be of an attempt before.
    """
    found = [problem]
    for exception in found:
        named = getattr(exception, "kwargs", None)
        inner = (
            exception.__cause__,
            *exception.args,
            getattr(exception, "reason", None),
            getattr(exception, "inner_exception", None),
            *(named.values() if isinstance(named, dict) else ()),
        )
        found.extend(one for one in inner if isinstance(one, BaseException) and not any(one is told for told in found))
    return found


def _in_handshake(error: ssl.SSLError) -> bool:
    return any(frame.name == "do_handshake" for frame in traceback.extract_tb(error.__traceback__))
