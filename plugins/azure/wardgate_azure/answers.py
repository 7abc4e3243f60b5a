"""How much of an answer is taken in: as large as a vault's can be, and not packed."""

from __future__ import annotations

from typing import Any

import aiohttp

LARGEST = 16 * 1024 * 1024
"""Bytes of one answer, of which a vault's are a hundredth part."""


class Answer(aiohttp.ClientResponse):
    """An answer that is given up when it is packed, which was not asked for, or too large."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read the head."""
        await super().start(connection)
        if self.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise aiohttp.ClientPayloadError("the answer is packed")
        return self

    async def read(self) -> bytes:
        """The body."""
        body = bytearray()
        try:
            async for part in self.content.iter_any():
                body += part
                if len(body) > LARGEST:
                    raise aiohttp.ClientPayloadError("the answer is too large")  # noqa: TRY301  # closes too
        except BaseException:  # whoever goes away leaves no connection behind
            self.close()
            raise
        return bytes(body)
