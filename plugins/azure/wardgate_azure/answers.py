"""What is taken for a vault's answer: as large as one can be, not packed, and about what was asked."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from wardgate_azure.errors import AnotherServer

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


def check(told: Any) -> None:
    """Hear of an answer before the SDK does, which takes any page with status 200 for a change that was made.

    Raises AnotherServer for one that is no refusal, and not what a vault says to that request either.
    """
    response = told.http_response
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        return
    place = [part for part in urlsplit(told.http_request.url).path.split("/") if part]
    if not _is_the_vault_s(told.http_request.method, place, response):
        raise AnotherServer


def _is_the_vault_s(method: str, place: list[str], response: Any) -> bool:
    what, *rest = (part.lower() for part in place)
    if method == "DELETE" and what == "deletedsecrets":
        return bool(response.status_code == HTTPStatus.NO_CONTENT)  # it has nothing to say of what is purged
    try:
        found = json.loads(response.text()) if response.status_code == HTTPStatus.OK else None
    except ValueError:
        return False
    if not isinstance(found, dict):
        return False
    if not rest or rest[1:] == ["versions"]:
        items = found.get("value")
        return isinstance(items, list) and all(_is_of(item, rest[:1], versioned=bool(rest)) for item in items)
    return _is_of(found, rest[:1], versioned=what == "secrets" and method != "DELETE")


def _is_of(item: object, names: list[str], *, versioned: bool) -> bool:
    """Whether it has the id of a secret, of a version of it where that is asked for; ``names``: of this one alone."""
    known_as = item.get("id") if isinstance(item, dict) else None
    try:
        parts = urlsplit(known_as).path.split("/")[1:] if isinstance(known_as, str) else []
    except ValueError:
        return False
    match parts:
        case ["secrets", name, *version] if name:
            # Case does not tell names apart.
            return names in ([], [name.lower()]) and (bool(version) or not versioned)
    return False
