"""An error of the server's own, as bytes."""

from __future__ import annotations

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE


def error_answer(status: int, sentence: str) -> bytes:
    """A whole answer that closes its connection, as bytes."""
    body = msgspec.json.encode({"errors": [sentence]})
    return b"".join(
        (
            STATUS_LINE[status],
            b"content-type: application/json\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length: ",
            str(len(body)).encode(),
            b"\r\n\r\n",
            body,
        )
    )
