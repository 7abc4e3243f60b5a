"""How versions are written on this wire: answers about them, and the selectors callers send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from wardgate.spi.errors import Malformed
from wardgate.spi.operations.secrets import Absent, Ordinal, Selector, Stage, VersionId
from wardgate.spi.values import VersionInfo

from wardgate_native.api.wire import Body, etag, rfc3339, version_of

# A version in a body: a number is its ordinal, a text the store's own id.
VersionName = (
    Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
)


class Version(msgspec.Struct, kw_only=True):
    """One version without its value. ``id`` is the store's own; ``ordinal`` counts from 1.

    ``created_at`` null: the store keeps no times.
    """

    id: str
    ordinal: int
    state: str
    created_at: str | None
    deleted_at: str | None
    expires_at: str | None
    stages: list[str]


class VersionQuery(Body):
    """Which version: ``version`` its number, ``version_id`` the store's id, or ``stage``; at most one."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    version_id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)] | None = None
    stage: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None


def version(info: VersionInfo) -> Version:
    """As it is answered."""
    return Version(
        id=info.id,
        ordinal=info.ordinal,
        state=info.state.value,
        created_at=rfc3339(info.created_at or None),
        deleted_at=rfc3339(info.deleted_at),
        expires_at=rfc3339(info.expires_at),
        stages=sorted(info.stages),
    )


def version_headers(info: VersionInfo) -> tuple[tuple[str, str], ...]:
    """What a version is, beside a body that is its value."""
    headers = [
        ("etag", etag(info)),
        ("x-wardgate-version", str(info.ordinal)),
    ]
    for name, time in (("created", info.created_at or None), ("expires", info.expires_at)):
        if (shown := rfc3339(time)) is not None:
            headers.append((f"x-wardgate-{name}-at", shown))
    return tuple(headers)


VERSION_HEADERS = ("etag", "x-wardgate-version", "x-wardgate-created-at", "x-wardgate-expires-at")
"""Names of those, for the documentation."""


def selector(query: VersionQuery) -> Selector | None:
    """The version a query names; None: the current one. Raises Malformed when it names two."""
    named: list[Selector] = []
    if query.version is not None:
        named.append(Ordinal(query.version))
    if query.version_id is not None:
        named.append(VersionId(query.version_id))
    if query.stage is not None:
        named.append(Stage(query.stage))
    if len(named) > 1:
        raise Malformed("name one of version, version_id and stage")
    return named[0] if named else None


def selectors(names: Sequence[int | str]) -> tuple[Selector, ...]:
    """The versions a body names. Raises Malformed for none: an empty list must never mean all."""
    if not names:
        raise Malformed("name at least one version")
    return tuple(named(name) for name in names)


def named(name: int | str) -> Ordinal | VersionId:
    """A version as a body names it."""
    return Ordinal(name) if isinstance(name, int) else VersionId(name)


def expected(headers: Mapping[str, str]) -> VersionId | Absent | None:
    """The compare-and-set that If-Match (one version) or If-None-Match (``*``: none yet) asks for. Raises Malformed."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is not None and none_match is not None:
        raise Malformed("send If-Match or If-None-Match, not both")
    if match is not None:
        return version_of(match.strip())
    if none_match is None:
        return None
    if none_match.strip() != "*":
        raise Malformed("a write takes If-None-Match: * alone: write only when there is no version yet")
    return Absent()
