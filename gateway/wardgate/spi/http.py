"""What front-ends over HTTP do alike: read headers that stand once, a bearer token and a body, refuse, and answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from wardgate.spi.errors import Malformed, WardgateError
from wardgate.spi.frontend import Receive, Send
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Operation, Rejected
from wardgate.spi.path import Path

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI lists them, their names in lower case."""
TOKEN_HEADER: Final = b"x-vault-token"
"""Takes the bare token, in every API alike; ``Authorization: Bearer`` is the other way to show it."""


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


def credential(bare: str, authorization: str) -> Credential | None:
    """The token that was shown, with nothing around it; None where there is none.

    Args:
        bare: what stands in ``TOKEN_HEADER``; ``""`` where it is missing.
        authorization: so too of ``Authorization``.

    Raises:
        Malformed: there are two of them, and they differ.
    """
    bare, token = bare.strip(), bearer(authorization)
    if bare and token and bare != token:
        raise Malformed("X-Vault-Token and Authorization hold different tokens; send one")
    token = bare or token
    return Credential("token", token) if token else None


def namespace(given: bytes) -> str:
    """The canonical path of a namespace as a header gives it: one slash before and after it is no part of it.

    That much clients of every API write (``/team/``); what has more is read by none of them as we would.

    Returns:
        ``""`` for the root.

    Raises:
        Malformed: not UTF-8, or no path.
    """
    try:
        text = given.decode("utf-8", errors="strict").removeprefix("/").removesuffix("/")
    except UnicodeDecodeError:
        raise Malformed("the header of the namespace is not UTF-8") from None
    return str(Path.parse(text)) if text else ""


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
