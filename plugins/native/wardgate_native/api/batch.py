"""Endpoints of batches: many reads or writes in one request, an outcome each, in the order of the items."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType
from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed, WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import MAX_ITEMS, Operation
from wardgate.spi.operations.secrets import (
    Absent,
    ReadSecret,
    ReadSecrets,
    Selector,
    Stage,
    WriteSecret,
    WriteSecrets,
)
from wardgate.spi.path import Path
from wardgate.spi.values import BYTES, JSON, TEXT, SecretVersion, Value, VersionInfo

from wardgate_native.api import problems
from wardgate_native.api.problems import Problem
from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import MEDIA_TYPE, media_type_of
from wardgate_native.api.versions import VersionName, named
from wardgate_native.api.wire import Answer, Body, PathText, etag

REMEMBERED = 4_096
"""Paths kept parsed, each of at most ``LONGEST`` characters: services ask for the same ones again and again."""
LONGEST = 256
MAX_MEMBERS = 50_000
"""Members of all JSON in one batch of writes, its values' included."""
_AROUND = 2
"""Brackets around an item."""

# Decoded later: as it stands it can be searched for quotes.
_RawText = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "string"})]
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_RawBase64 = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "string", "pattern": _BASE64})]
_MediaType = Annotated[
    str, msgspec.Meta(min_length=1, max_length=255, extra_json_schema={"pattern": f"^{MEDIA_TYPE.pattern}$"})
]
_DONE = 200


class ReadItem(Body, gc=False):
    """One secret to read. ``version``: a number is its ordinal, a text the store's id; or a ``stage``; or neither.

    ``fresh``: ask the store, whatever the gateway remembers.
    """

    more: ClassVar[Mapping[str, Any]] = {"not": {"required": ["version", "stage"]}}
    path: PathText
    version: VersionName | UnsetType = UNSET
    stage: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    fresh: bool | UnsetType = UNSET


class Reads(Body):
    """Up to 1,000 secrets to read."""

    items: Annotated[list[ReadItem], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class WriteItem(Body, gc=False):
    """One secret to write: the value as ``json``, ``text`` or ``base64``; ``media_type`` where it is another one.

    ``expect`` makes it a compare-and-set: a version (a number is its ordinal, a text the store's id), or null: there
    must be none yet.
    """

    more: ClassVar[Mapping[str, Any]] = {
        "oneOf": [
            {"required": ["json"], "properties": {"media_type": {"const": JSON}, "text": False, "base64": False}},
            {"required": ["text"], "properties": {"json": False, "base64": False}},
            {"required": ["base64"], "properties": {"json": False, "text": False}},
        ]
    }
    path: PathText
    json: msgspec.Raw | UnsetType = UNSET
    text: _RawText | UnsetType = UNSET
    base64: _RawBase64 | UnsetType = UNSET
    media_type: _MediaType | UnsetType = UNSET
    expect: VersionName | UnsetType | None = UNSET


class Writes(Body):
    """Up to 1,000 secrets to write, each for itself and in no order."""

    items: Annotated[list[WriteItem], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class ReadOutcome(msgspec.Struct, gc=False):
    """One answer: ``status`` 200, the version and its value (as ``json``, ``text`` or ``base64``); or a ``problem``."""

    status: int
    etag: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    ordinal: int | UnsetType = UNSET
    media_type: str | UnsetType = UNSET
    json: msgspec.Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    base64: str | UnsetType = UNSET
    problem: Problem | UnsetType = UNSET


class ReadOutcomes(msgspec.Struct, gc=False):
    """An outcome for each item, in their order."""

    items: list[ReadOutcome]


class WriteOutcome(msgspec.Struct, gc=False):
    """One answer: ``status`` 200 with the new version, or a ``problem``."""

    status: int
    etag: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    ordinal: int | UnsetType = UNSET
    problem: Problem | UnsetType = UNSET


class WriteOutcomes(msgspec.Struct, gc=False):
    """An outcome for each item, in their order."""

    items: list[WriteOutcome]


_reads = msgspec.json.Decoder(Reads).decode
_writes = msgspec.json.Decoder(Writes).decode
_raw_items = msgspec.json.Decoder(dict[str, list[msgspec.Raw]]).decode
_text = msgspec.json.Decoder(str).decode
_remembered = lru_cache(maxsize=REMEMBERED)(Path.parse)


def _path(text: str) -> Path:
    return _remembered(text) if len(text) <= LONGEST else Path.parse(text)


@lru_cache(maxsize=REMEMBERED)
def _current(text: str) -> ReadSecret:
    return ReadSecret(path=_remembered(text))


def decode_reads(data: bytes) -> ReadSecrets:
    """The reads a body asks for, as strictly as :mod:`wardgate.spi.strict_json` reads.

    A typed decoder takes the last of two equal names in silence. Every name and every text has two quotes: where the
    body has exactly those of what was decoded, nothing stood twice, and the slower scan is spared.

    Raises:
        Malformed, msgspec.MsgspecError: it is not one.
    """
    quotes = 2
    items: list[ReadSecret] = []
    decoded = _reads(data).items
    try:
        for item in decoded:
            version, stage, fresh = item.version, item.stage, item.fresh
            quotes += 4
            if version is UNSET and stage is UNSET and fresh is UNSET:
                text = item.path
                items.append(_current(text) if len(text) <= LONGEST else ReadSecret(path=Path.parse(text)))
                continue
            quotes += 2 * (fresh is not UNSET) + 4 * (stage is not UNSET)
            quotes += 0 if version is UNSET else 4 if isinstance(version, str) else 2
            items.append(ReadSecret(path=_path(item.path), version=_selector(item), fresh=fresh is True))
    except Malformed as error:
        raise _at(len(items), error) from None
    if b"\\" in data or data.count(b'"') != quotes:
        strict_json.loads(data)
    return ReadSecrets(items=tuple(items))


def _selector(item: ReadItem) -> Selector | None:
    version, stage = item.version, item.stage
    if version is UNSET:
        return None if stage is UNSET else Stage(stage)
    if stage is not UNSET:
        raise Malformed("name one of version and stage")
    return named(version)


def decode_writes(data: bytes) -> WriteSecrets:
    """The writes a body asks for, each item read strictly. A JSON value is kept as the text received.

    Raises:
        Malformed, msgspec.MsgspecError: it is not one.
    """
    strict_json.check_shape(data, MAX_MEMBERS, strict_json.MAX_DEPTH + _AROUND)
    decoded = _writes(data).items
    # Each value has its own bound besides; so each item is scanned for itself.
    raw = _raw_items(data)["items"]
    if data.count(b'"') != 2 + sum(bytes(one).count(b'"') for one in raw):
        raise Malformed("the JSON has the same key twice in one object")
    items: list[WriteSecret] = []
    try:
        for one, item in zip(raw, decoded, strict=True):
            strict_json.loads(bytes(one))
            items.append(_write(item))
    except Malformed as error:
        raise _at(len(items), error) from None
    except msgspec.ValidationError:
        raise _at(len(items), Malformed("text and base64 are texts")) from None
    return WriteSecrets(items=tuple(items))


def _at(number: int, error: Malformed) -> Malformed:
    """The same, by the item it is about, as any other place in a body is told."""
    return Malformed(f"$.items[{number}]: {error.message}")


def _write(item: WriteItem) -> WriteSecret:
    given = [form for form in (item.json, item.text, item.base64) if form is not UNSET]
    if len(given) != 1:
        raise Malformed("each item has its value as one of json, text and base64")
    if item.json is not UNSET:
        data, media_type = bytes(given[0]), JSON
    elif item.text is not UNSET:
        data, media_type = _text(given[0]).encode(), TEXT
    else:
        data, media_type = _bytes_of(_text(given[0])), BYTES
    if item.media_type is not UNSET:
        media_type = _other(str(item.media_type), media_type)
    expect = None if item.expect is UNSET else Absent() if item.expect is None else named(item.expect)
    return WriteSecret(path=_path(item.path), value=Value(data, media_type), expect=expect)


def _other(given: str, form: str) -> str:
    media_type = media_type_of(given)
    if JSON in {media_type, form} and media_type != form:
        raise Malformed(f"a value of {JSON} is given as json, and no other")
    if media_type == TEXT and form != TEXT:
        raise Malformed("a value of text/plain is given as text")
    return media_type


def _bytes_of(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Malformed("base64 is not base64 (RFC 4648, 4)") from None


def _reads_answer(outcome: Outcome[tuple[SecretVersion | WardgateError, ...]]) -> Answer:
    return Answer(ReadOutcomes([_read_outcome(result) for result in outcome.result]))


def _read_outcome(result: SecretVersion | WardgateError) -> ReadOutcome:
    if isinstance(result, WardgateError):
        problem = problems.document(result)
        return ReadOutcome(problem.status, problem=problem)
    info, value = result.info, result.value
    media_type = value.media_type
    tag = etag(info)
    if media_type == JSON:
        # Whoever said that it is JSON scanned it: the gateway before it was written, a backend before it answered.
        return ReadOutcome(_DONE, tag, info.id, info.ordinal, media_type, msgspec.Raw(value.data))
    if media_type == TEXT and (text := value.text()) is not None:
        return ReadOutcome(_DONE, tag, info.id, info.ordinal, media_type, UNSET, text)
    encoded = b64encode(value.data).decode("ascii")
    return ReadOutcome(_DONE, tag, info.id, info.ordinal, media_type, UNSET, UNSET, encoded)


def _writes_answer(outcome: Outcome[tuple[VersionInfo | WardgateError, ...]]) -> Answer:
    return Answer(WriteOutcomes([_write_outcome(result) for result in outcome.result]))


def _write_outcome(result: VersionInfo | WardgateError) -> WriteOutcome:
    if isinstance(result, WardgateError):
        problem = problems.document(result, conditional=True)
        return WriteOutcome(problem.status, problem=problem)
    return WriteOutcome(_DONE, etag(result), result.id, result.ordinal)


def _given(call: Call) -> Operation[Any]:
    operation: Operation[Any] = call.body
    return operation


ROUTES = (
    Route(
        method="POST", pattern="batch/read", summary="Read up to 1,000 secrets; an outcome each.", changes=False,
        request=Reads, decode=decode_reads, response=ReadOutcomes, operation=_given, answer=_reads_answer,
    ),
    Route(
        method="POST", pattern="batch/write", summary="Write up to 1,000 secrets; an outcome each.",
        request=Writes, decode=decode_writes, response=WriteOutcomes, operation=_given, answer=_writes_answer,
    ),
)  # fmt: skip
