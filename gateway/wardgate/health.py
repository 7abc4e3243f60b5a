"""Is it alive, can it serve: answered before any front-end, to anyone, without a word about what is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from wardgate.spi import http
from wardgate.spi.frontend import Receive, Scope, Send

LIVE: Final = b"/livez"
"""The process answers."""

READY: Final = b"/readyz"
"""This worker can serve."""

Check = Callable[[], str]
"""Why it cannot serve, in words that may be shown to anyone; empty while all is well. It must cost next to nothing."""


class Health:
    """Wraps the front-ends: an ASGI application that answers ``/livez`` and ``/readyz`` itself.

    Args:
        app: answers everything else.
        checks: what readiness asks, by name, in the order in which ``?verbose`` shows them.
    """

    def __init__(self, app: Any, checks: Mapping[str, Check]) -> None:
        self._app = app
        self._checks = dict(checks)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one HTTP request."""
        target = scope["raw_path"]
        if target == LIVE:
            return _answer(scope, send, {})
        if target == READY:
            return _answer(scope, send, {name: check() for name, check in self._checks.items()})
        answer: Awaitable[None] = self._app(scope, receive, send)
        return answer


async def _answer(scope: Scope, send: Send, found: Mapping[str, str]) -> None:
    failing = [name for name, fault in found.items() if fault]
    if scope["method"] not in {"GET", "HEAD"}:
        await _send(scope, send, 405, "only GET and HEAD are answered here\n", (b"allow", b"GET, HEAD"))
        return
    text = f"not ready: {', '.join(failing)}\n" if failing else "ok\n"
    if b"verbose" in scope["query_string"].split(b"&"):
        text = "".join(f"{name}: {fault or 'ok'}\n" for name, fault in found.items()) + text
    await _send(scope, send, 503 if failing else 200, text)


async def _send(scope: Scope, send: Send, status: int, text: str, *more: tuple[bytes, bytes]) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
        *more,
    ]
    await http.answer(send, status, headers, text.encode(), head=scope["method"] == "HEAD")
