"""Endpoints of secrets: values, what is known of them, folders, and the life of their versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import starmap
from typing import Annotated, Any, ClassVar

import msgspec
from wardgate.spi import strict_json
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Conflict, Gone, InvalidValue, Malformed, PreconditionRequired, VersionNotFound
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import (
    Absent,
    AnnotateSecret,
    DeleteSecret,
    DescribeSecret,
    DestroySecret,
    ListSecrets,
    MoveStage,
    PatchSecret,
    ReadSecret,
    ScanSecrets,
    UndeleteSecret,
    VersionId,
    WriteSecret,
)
from wardgate.spi.values import BYTES, JSON, TEXT, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_native.api.routing import Call, Raw, Route
from wardgate_native.api.versions import (
    VERSION_HEADERS,
    Version,
    VersionName,
    VersionQuery,
    expected,
    named,
    selector,
    selectors,
    version,
    version_headers,
)
from wardgate_native.api.wire import Answer, Body, Seconds, nanoseconds, rfc3339, seconds

PAGE, MAX_PAGE = 1_000, 10_000
"""Names in a page of a folder: by itself, and at most. A walk through folders is never longer than the former."""
MERGE_PATCH = "application/merge-patch+json"
MEDIA_TYPE = re.compile(r"[A-Za-z0-9_!#$&^.+-]{1,127}/[A-Za-z0-9_!#$&^.+-]{1,127}(?:;[ !#-~]{1,200})?")
_UTF8 = frozenset({"", "charset=utf-8", 'charset="utf-8"'})
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class FolderQuery(Body):
    """A page: at most ``limit`` names (1 to 10,000), from where ``cursor`` of the page before points.

    ``recursive``: the secrets anywhere below, not the names directly below; at most 1,000.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = PAGE
    cursor: str | None = None
    recursive: bool = False


class FolderEntry(msgspec.Struct):
    """One name; ``folder`` when there is more below it. A name can stand twice, as a secret and as a folder.

    In a recursive page there are only secrets, and a name is the path from the folder: ``a/b/c``. Of a mount that is
    open, its store's ``capabilities`` are told.
    """

    name: str
    folder: bool
    capabilities: Capabilities | msgspec.UnsetType = msgspec.UNSET


class Folder(msgspec.Struct):
    """One page of a folder. ``cursor`` is null on the last page."""

    entries: list[FolderEntry]
    cursor: str | None


class Settings(Body):
    """How a store treats a secret; what is absent stays as it is."""

    max_versions: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    compare_and_set_required: bool | None = None
    delete_after_seconds: Seconds | None = None


class Metadata(msgspec.Struct, kw_only=True):
    """What is known of a secret without any value."""

    current: Version | None
    versions: list[Version]
    created_at: str | None
    updated_at: str | None
    labels: dict[str, str]
    settings: Settings


class MetadataChange(Body):
    """``labels`` replaces all labels; ``settings`` changes those named. What is absent stays as it is."""

    more: ClassVar[Mapping[str, Any]] = {
        "anyOf": [
            {"required": ["labels"], "properties": {"labels": {"type": "object"}}},
            {"required": ["settings"], "properties": {"settings": {"type": "object"}}},
        ]
    }
    labels: dict[str, str] | None = None
    settings: Settings | None = None


class Versions(Body):
    """Versions by number (their ordinal) or text (the store's id)."""

    versions: Annotated[list[VersionName], msgspec.Meta(min_length=1)]


class Destruction(Body):
    """The versions to destroy for ever, or ``all``: the whole secret and its history."""

    more: ClassVar[Mapping[str, Any]] = {
        "oneOf": [
            {"required": ["versions"], "properties": {"versions": {"type": "array"}, "all": {"const": False}}},
            {"required": ["all"], "properties": {"versions": {"type": "null"}, "all": {"const": True}}},
        ]
    }
    versions: Annotated[list[VersionName], msgspec.Meta(min_length=1)] | None = None
    all: bool = False


class StageMove(Body):
    """Put ``stage`` on ``version``; null takes it away."""

    stage: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    version: VersionName | None


def media_type_of(given: str) -> str:
    """The media type a value is kept under: the gateway's three in their one spelling, others as sent.

    Raises:
        Malformed: it is none, a form's, or says that text is not UTF-8.
    """
    essence, _, parameters = given.strip().partition(";")
    essence = essence.strip().lower()
    if essence in _FORMS:
        raise Malformed(f"say what the value is: Content-Type: {JSON}, text/plain or {BYTES}, not a form")
    if essence in {"application/json", "text/plain"}:
        if parameters.strip().lower() not in _UTF8:
            raise Malformed("JSON and text are kept as UTF-8; send charset=utf-8 or none")
        return JSON if essence == "application/json" else TEXT
    if not given:
        return BYTES
    if not MEDIA_TYPE.fullmatch(given.strip()):
        raise Malformed("the Content-Type is not a media type")
    return given.strip()


def _value(call: Call) -> Value:
    media_type = media_type_of(call.headers.get("content-type", ""))
    value = Value(call.body, media_type)
    if media_type == JSON:
        strict_json.loads(value.data)
    elif media_type == TEXT and value.text() is None:
        raise InvalidValue(f"the value is not UTF-8 text; send it as {BYTES}")
    return value


def _value_answer(outcome: Outcome[SecretVersion]) -> Answer:
    value = outcome.result.value
    # A store may hold a media type that no front-end checked; a header must not carry what could end it.
    media_type = value.media_type if MEDIA_TYPE.fullmatch(value.media_type) else BYTES
    return Answer(value.data, 200, media_type, version_headers(outcome.result.info))


def _read(call: Call) -> Operation[SecretVersion]:
    directives = {one.strip().lower() for one in call.headers.get("cache-control", "").split(",")}
    return ReadSecret(path=call.path, version=selector(call.query), fresh="no-cache" in directives)


def _write(call: Call) -> Operation[VersionInfo]:
    return WriteSecret(path=call.path, value=_value(call), expect=expected(call.headers))


def _write_answer(outcome: Outcome[VersionInfo]) -> Answer:
    return Answer(version(outcome.result), headers=version_headers(outcome.result))


def _patch(call: Call) -> Operation[VersionInfo]:
    media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != MERGE_PATCH:
        raise Malformed(f"say how the body changes the value: Content-Type: {MERGE_PATCH}")
    patch = strict_json.loads(call.body)
    if not isinstance(patch, dict):
        raise Malformed("a patch is a JSON object: what it names is changed, null takes a field away (RFC 7396)")
    # If-Match: * asks that there is one, and nothing can be merged into what is not there.
    expect = None if call.headers.get("if-match", "").strip() == "*" else _seen(call)
    return PatchSecret(path=call.path, patch=Value(call.body, JSON), expect=expect)


def _seen(call: Call) -> VersionId | None:
    expect = expected(call.headers)
    assert not isinstance(expect, Absent)  # no route that asks honours If-None-Match
    return expect


def _delete(call: Call) -> Operation[None]:
    chosen, expect = selector(call.query), _seen(call)
    if chosen and expect:
        raise Malformed("If-Match speaks of the current version; leave it out, or name no version")
    return DeleteSecret(path=call.path, versions=(chosen,) if chosen else (), expect=expect)


def _destroy(call: Call) -> Operation[None]:
    body: Destruction = call.body
    if body.all == (body.versions is not None):
        raise Malformed('say which: {"versions": [...]}, or {"all": true} for the whole secret and its history')
    return DestroySecret(path=call.path, versions=() if body.versions is None else selectors(body.versions))


def _folder(call: Call) -> Operation[Page] | Operation[tuple[MountInfo, ...]]:
    query: FolderQuery = call.query
    if query.recursive:
        if not call.path.segments:
            raise Malformed(
                "a recursive page is one mount's: name it, /api/v1/folders/MOUNT?recursive=true, for each mount that "
                "/api/v1/folders/ lists; `wardgate list --recursive` walks through all of them"
            )
        return ScanSecrets(path=call.path, cursor=query.cursor, limit=min(query.limit, PAGE))
    if not call.path.segments:
        return ListVisibleMounts()
    return ListSecrets(path=call.path, cursor=query.cursor, limit=query.limit)


def _folder_answer(outcome: Outcome[Page | tuple[MountInfo, ...]]) -> Answer:
    found = outcome.result
    if isinstance(found, Page):
        return Answer(Folder(list(starmap(FolderEntry, found.entries)), found.cursor))
    mounts = [
        FolderEntry(str(mount.prefix), folder=True, capabilities=mount.capabilities or msgspec.UNSET) for mount in found
    ]
    return Answer(Folder(mounts, None))


def _metadata_answer(outcome: Outcome[SecretInfo]) -> Answer:
    info = outcome.result
    body = Metadata(
        current=None if info.current is None else version(info.current),
        versions=[version(one) for one in info.versions],
        created_at=rfc3339(info.created_at or None),
        updated_at=rfc3339(info.updated_at or None),
        labels=dict(info.labels),
        settings=Settings(
            max_versions=info.settings.max_versions,
            compare_and_set_required=info.settings.compare_and_set_required,
            delete_after_seconds=seconds(info.settings.delete_after),
        ),
    )
    return Answer(body)


def _annotate(call: Call) -> Operation[None]:
    change: MetadataChange = call.body
    if change.labels is None and change.settings is None:
        raise Malformed('nothing to change: send "labels", "settings" or both')
    settings = None
    if change.settings is not None:
        settings = SecretSettings(
            max_versions=change.settings.max_versions,
            compare_and_set_required=change.settings.compare_and_set_required,
            delete_after=nanoseconds(change.settings.delete_after_seconds),
        )
    return AnnotateSecret(path=call.path, labels=change.labels, settings=settings)


def _stage(call: Call) -> Operation[None]:
    move: StageMove = call.body
    version = None if move.version is None else named(move.version)
    return MoveStage(path=call.path, stage=move.stage, version=version)


def no_content(_outcome: Outcome[None]) -> Answer:
    """Done; there is nothing to say."""
    return Answer(None, 204)


_GONE = (Gone, VersionNotFound)
_CHANGED = (Conflict, PreconditionRequired)
_VALUES = (JSON, "text/plain", BYTES)

ROUTES = (
    Route(
        method="GET", pattern="secrets/{path}", summary="Read a value, in its own media type.",
        query=VersionQuery, response=Raw, conditions=("if-none-match",), headers=VERSION_HEADERS, errors=_GONE,
        operation=_read, answer=_value_answer,
    ),
    Route(
        method="PUT", pattern="secrets/{path}", summary="Store a value as a new version; If-Match and If-None-Match.",
        request=Raw, media_types=_VALUES, response=Version, headers=VERSION_HEADERS, errors=_CHANGED,
        conditions=("if-match", "if-none-match"), operation=_write, answer=_write_answer,
    ),
    Route(
        method="PATCH", pattern="secrets/{path}", summary="Change fields of a value that is a JSON object (RFC 7396).",
        request=Raw, media_types=(MERGE_PATCH,), response=Version, headers=VERSION_HEADERS, errors=(*_GONE, *_CHANGED),
        conditions=("if-match",), operation=_patch, answer=_write_answer,
    ),
    Route(
        method="DELETE", pattern="secrets/{path}", summary="Delete the current version, or the one named; If-Match.",
        query=VersionQuery, conditions=("if-match",), errors=(Conflict,), operation=_delete, answer=no_content,
    ),
    Route(
        method="GET", pattern="folders/{folder}", query=FolderQuery, response=Folder,
        summary="A page of the names in a folder, or of all secrets below it; the mounts, at the root.",
        operation=_folder, answer=_folder_answer,
    ),
    Route(
        method="GET", pattern="metadata/{path}", summary="What is known of a secret, without values.",
        response=Metadata, operation=lambda call: DescribeSecret(path=call.path), answer=_metadata_answer,
    ),
    Route(
        method="PATCH", pattern="metadata/{path}", summary="Replace the labels, change the settings.",
        request=MetadataChange, operation=_annotate, answer=no_content,
    ),
    Route(
        method="POST", pattern="undelete/{path}", summary="Recover deleted versions.", request=Versions,
        errors=(VersionNotFound,),
        operation=lambda call: UndeleteSecret(path=call.path, versions=selectors(call.body.versions)),
        answer=no_content,
    ),
    Route(
        method="POST", pattern="destroy/{path}", summary="Destroy versions, or the whole secret, for ever.",
        request=Destruction, errors=_GONE, operation=_destroy, answer=no_content,
    ),
    Route(
        method="POST", pattern="stages/{path}", summary="Put a stage on a version, or take it away.",
        request=StageMove, errors=_GONE, operation=_stage, answer=no_content,
    ),
)  # fmt: skip
