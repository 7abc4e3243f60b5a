"""What front-ends over HTTP do alike: read headers that stand once, a bearer token and a body, refuse, and answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from wardgate.spi.errors import Malformed, WardgateError
from wardgate.spi.frontend import Receive, Send
from wardgate.spi.operations.base import Operation, Rejected

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI lists them, their names in lower case."""


def by_name(headers: Headers, single: Collection[bytes]) -> dict[bytes, bytes]:
    """The headers by name; of one that may stand several times, the last.

    Raises:
        Malformed: one of ``single`` stands twice: whoever stands in between may have read the other one.
    """
    named = dict(headers)
    if len(named) != len(headers):
        seen: set[bytes] = set()
        for name, _ in headers:
            if name in seen and name in single:
                raise Malformed(f"the header {name.decode('latin-1')} stands twice")
            seen.add(name)
    return named


def bearer(authorization: str) -> str | None:
    """The token of an ``Authorization`` header, stripped; None where its scheme is another one than Bearer."""
    scheme, space, token = authorization.partition(" ")
    return token.strip() if space and scheme.lower() == "bearer" else None


async def body(receive: Receive) -> bytes:
    """The whole body, bounded before it came here. Raises Malformed where the caller goes away before its end."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Malformed("the caller went away before the end of the body")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def refuse(perform: Callable[[Operation[Any]], Awaitable[object]], rejected: Rejected) -> WardgateError | None:
    """Send down the road what could not be translated, so that it is audited.

    Returns what the road itself has against the caller, which is then told instead; None: nothing.
    """
    try:
        await perform(rejected)
    except WardgateError as raised:
        return None if raised is rejected.error else raised
    return None


async def answer(send: Send, status: int, headers: Headers, content: bytes | None, *, head: bool) -> None:
    """Send an answer; ``content`` None has neither bytes nor a length. ``head``: it is asked for without its bytes."""
    if content is not None:
        headers = [*headers, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head or content is None else content})
