"""The requests of a copy: many reads at once, conditional writes, and patience with a busy gateway."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from wardgate.cli.client import Client, stranger
from wardgate.cli.failure import Failure
from wardgate.cli.paths import folder_of, secret_of
from wardgate.spi.values import JSON, TEXT, Value

PAGE = 1_000
PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each further try of what came too fast."""
_OK = 200
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """A value with its ETag, or why there is none."""

    value: Value = field(default=Value(b""), repr=False)
    etag: str = ""
    failure: Failure | None = None


class _Problem(msgspec.Struct):
    code: str
    detail: str = ""
    title: str = ""
    request_id: str = ""


class _Outcome(msgspec.Struct, omit_defaults=True):
    status: int
    etag: str = ""
    id: str = ""
    ordinal: int | None = None
    media_type: str = ""
    json: msgspec.Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET
    problem: _Problem | UnsetType = UNSET


class _Outcomes(msgspec.Struct):
    items: list[_Outcome]


class _New(msgspec.Struct):
    """A first version; ``expect`` null: there must be none."""

    path: str
    expect: None = None
    json: msgspec.Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: bytes | UnsetType = UNSET
    media_type: str | UnsetType = UNSET


_outcomes = msgspec.json.Decoder(_Outcomes).decode


class Door:
    """What a copy asks of a gateway. May be used by several threads."""

    def __init__(self, client: Client, sleep: Callable[[float], None] = time.sleep) -> None:
        """Speak through ``client``; ``sleep`` waits where the gateway says that it is too much."""
        self._client = client
        self._sleep = sleep

    def below(self, folder: str) -> Iterator[list[str]]:
        """Pages of the names of all secrets anywhere below, relative to the folder."""
        query: dict[str, str | int] = {"recursive": "true", "limit": PAGE}
        where = f"folders/{folder_of(folder)}"
        while True:
            page = self._patiently(lambda: self._client.json("GET", where, query=query))
            yield [entry["name"] for entry in page["entries"] if not entry["folder"]]
            if page["cursor"] is None:
                return
            query["cursor"] = page["cursor"]

    def read_many(self, wanted: Sequence[tuple[str, int | None]], *, exact: bool = False) -> list[Found]:
        """Values of paths, each the current version or that ordinal, as the stores have them now.

        JSON comes without the spaces around it, unless ``exact``: then a value with spaces is asked for alone.
        """
        items = [
            {"path": path, "fresh": True} | ({} if version is None else {"version": version})
            for path, version in wanted
        ]
        reply = self._patiently(lambda: self._client.request("POST", "batch/read", body={"items": items}))
        try:
            outcomes = _outcomes(reply.body).items
        except msgspec.MsgspecError:
            outcomes = []
        if len(outcomes) != len(wanted):
            raise stranger()
        # What was decoded is all that there was: then no value had spaces around it.
        if exact and msgspec.json.encode(_Outcomes(outcomes)) != reply.body:
            return [
                self.read(*one) if outcome.json is not UNSET else self._found(outcome, *one)
                for outcome, one in zip(outcomes, wanted, strict=True)
            ]
        return [self._found(outcome, *one) for outcome, one in zip(outcomes, wanted, strict=True)]

    def _found(self, outcome: _Outcome, path: str, version: int | None) -> Found:
        if outcome.problem is not UNSET:
            problem = outcome.problem
            if problem.code in {"too_large", "rate_limited"}:  # perhaps of the batch, not of this one
                return self.read(path, version)
            return Found(failure=_failure(problem))
        if outcome.json is not UNSET:
            data = bytes(outcome.json)
        elif outcome.text is not UNSET:
            data = outcome.text.encode()
        else:
            data = base64.b64decode(outcome.base64 if outcome.base64 is not UNSET else "")
        return Found(Value(data, outcome.media_type), outcome.etag)

    def read(self, path: str, version: int | None = None) -> Found:
        """One value, byte for byte, as the store has it now."""
        query = {} if version is None else {"version": version}
        where = f"secrets/{secret_of(path)}"
        try:
            reply = self._patiently(
                lambda: self._client.request("GET", where, query=query, headers={"cache-control": "no-cache"})
            )
        except Failure as failure:
            return Found(failure=failure)
        if "x-wardgate-stale" in reply.headers:
            return Found(failure=Failure("the store does not answer", code="unavailable"))
        return Found(Value(reply.body, reply.header("content-type")), reply.headers.get("etag", ""))

    def write(self, path: str, value: Value, condition: Mapping[str, str]) -> str:
        """Write a new version under a condition; its ETag. Raises Failure."""
        headers = {"content-type": value.media_type, **condition}
        where = f"secrets/{secret_of(path)}"
        reply = self._patiently(
            lambda: self._client.request("PUT", where, content=value.data, headers=headers),
        )
        return reply.headers.get("etag", "")

    def write_new(self, values: Sequence[tuple[str, Value]]) -> list[Failure | None]:
        """Write the first version of each path, and why not where there is one already; ``fits`` holds for all.

        Raises:
            Failure: of all of them; none was written where it says too_large or malformed.
        """
        items = [_new(path, value) for path, value in values]
        body = msgspec.json.encode({"items": items})
        headers = {"content-type": JSON}
        reply = self._patiently(lambda: self._client.request("POST", "batch/write", content=body, headers=headers))
        try:
            outcomes = _outcomes(reply.body).items
        except msgspec.MsgspecError:
            outcomes = []
        if len(outcomes) != len(values):
            raise stranger()
        return [None if outcome.problem is UNSET else _failure(outcome.problem) for outcome in outcomes]

    def describe(self, path: str) -> dict[str, Any] | None:
        """What is known of a secret; None where the store cannot say. Raises Failure."""
        try:
            info: dict[str, Any] = self._patiently(lambda: self._client.json("GET", f"metadata/{secret_of(path)}"))
        except Failure as failure:
            if failure.code == "unsupported":
                return None
            raise
        return info

    def label(self, path: str, labels: Mapping[str, str]) -> bool:
        """Replace a secret's labels; False where the store keeps none. Raises Failure."""
        body = {"labels": dict(labels)}
        try:
            self._patiently(lambda: self._client.request("PATCH", f"metadata/{secret_of(path)}", body=body))
        except Failure as failure:
            if failure.code == "unsupported":
                return False
            raise
        return True

    def _patiently(self, ask: Callable[[], T]) -> T:
        """What came too fast was not done, so that it may be tried again, a change too."""
        for seconds in PATIENCE:
            try:
                return ask()
            except Failure as failure:
                if failure.code != "rate_limited":
                    raise
            self._sleep(seconds)
        return ask()


def fits(value: Value) -> bool:
    """Whether a value can be one of many in a request, with every byte of it: JSON loses the spaces around it there."""
    if value.media_type == JSON:
        return value.data == value.data.strip(b" \t\r\n")
    return value.media_type != TEXT or value.text() is not None


def _new(path: str, value: Value) -> _New:
    if value.media_type == JSON:
        return _New(path=path, json=msgspec.Raw(value.data))
    if value.media_type == TEXT:
        return _New(path=path, text=value.data.decode())
    return _New(path=path, base64=value.data, media_type=value.media_type)


def _failure(problem: _Problem) -> Failure:
    return Failure(problem.detail or problem.title, code=problem.code, request_id=problem.request_id)
