"""The answers this layer gives by itself: plain JSON, as every wire's client can at least show it."""

from __future__ import annotations

import logging
import traceback

import msgspec

from wardgate.spi import http
from wardgate.spi.frontend import Send

_log = logging.getLogger("wardgate.accept")


class Refused(Exception):
    """The request is answered here: ``status`` and one plain sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class CutShort(Exception):
    """An answer was begun and cannot be ended: the server must close the connection."""


async def refuse(send: Send, refused: Refused) -> None:
    """Answer with the refusal."""
    await _answer(send, refused.status, refused.sentence)


async def fail(send: Send, error: Exception, request_id: str) -> None:
    """Answer for a defect, and log where it happened: never its message, which may hold what it worked on.

    Raises:
        CutShort: the answer had begun.
    """
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told = {"event": "request_failed", "request": request_id}
    _log.error("a request failed with %s at %s", type(error).__name__, " < ".join(reversed(frames)), extra=told)
    try:
        await _answer(send, 500, f"internal error; the log has it under request {request_id}")
    except RuntimeError:
        raise CutShort(request_id) from None


async def _answer(send: Send, status: int, sentence: str) -> None:
    body = msgspec.json.encode({"errors": [sentence]})
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
    ]
    if status == 429:  # noqa: PLR2004  # the one status that says when to return
        headers.append((b"retry-after", b"1"))
    await http.answer(send, status, headers, body, head=False)
