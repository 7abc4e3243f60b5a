"""Which front-end answers a request: by the path prefixes that each claims."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from wardgate.spi import http
from wardgate.spi.frontend import Frontend, Receive, Scope, Send

_NOTHING_HERE = b'{"errors":["no API of this gateway answers this path"]}'
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
]


class Frontends:
    """An ASGI application that hands each request to the front-end whose claim its raw path begins with."""

    def __init__(self, claims: Iterable[tuple[str, Frontend]]) -> None:
        # The longest claim first, though overlapping ones never get this far.
        self._claims = sorted(((prefix.encode(), frontend) for prefix, frontend in claims), key=lambda c: -len(c[0]))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one HTTP request."""
        target: bytes = scope["raw_path"]
        for prefix, frontend in self._claims:
            if target.startswith(prefix):
                return frontend(scope, receive, send)
        return http.answer(send, 404, _HEADERS, _NOTHING_HERE, head=scope["method"] == "HEAD")
