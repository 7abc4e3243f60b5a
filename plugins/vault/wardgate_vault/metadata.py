"""What KV version 2 says of versions and secrets, read as the gateway's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from wardgate.spi.values import SecretInfo, SecretSettings, VersionInfo, VersionState

from wardgate_vault.api.durations import SECOND, parse_duration

MAX_VERSION_DIGITS = 18
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 time. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    whole, fraction, zone = match.groups()
    seconds = int(datetime.fromisoformat(whole + zone).timestamp())
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def version_number(version: str) -> int | None:
    """The number a version id is, or None where it cannot be one of this store's (0 would mean the newest)."""
    if version.isascii() and version.isdigit() and version[0] != "0" and len(version) <= MAX_VERSION_DIGITS:
        return int(version)
    return None


def version_info(number: int, metadata: Mapping[str, Any], *, now: int) -> VersionInfo:
    """One version from its metadata. Raises KeyError, TypeError or ValueError for what is none."""
    deletion = parse_time(metadata["deletion_time"]) if metadata["deletion_time"] else None
    deleted = deletion is not None and deletion <= now
    state = VersionState.DELETED if deleted else VersionState.LIVE
    return VersionInfo(
        id=str(number),
        ordinal=number,
        created_at=parse_time(metadata["created_time"]),
        state=VersionState.DESTROYED if metadata["destroyed"] else state,
        deleted_at=deletion if deleted else None,
        expires_at=None if deleted else deletion,
    )


def secret_info(data: Mapping[str, Any], *, now: int) -> SecretInfo:
    """A secret from its metadata. Raises KeyError, TypeError or ValueError for what is none."""
    numbered = {int(number): metadata for number, metadata in data["versions"].items()}
    versions = {number: version_info(number, numbered[number], now=now) for number in sorted(numbered)}
    return SecretInfo(
        current=versions.get(data["current_version"]),
        versions=tuple(versions.values()),
        created_at=parse_time(data["created_time"]),
        updated_at=parse_time(data["updated_time"]),
        labels=labels(data),
        settings=SecretSettings(
            max_versions=data["max_versions"],
            compare_and_set_required=data["cas_required"],
            delete_after=_delete_after(data["delete_version_after"]),
        ),
    )


def labels(data: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels: Vault's custom metadata."""
    return dict(data.get("custom_metadata") or {})


def _delete_after(text: str) -> int:
    # A negative duration is how an operator turns the engine's own setting off for one secret.
    return 0 if text.startswith("-") else parse_duration(text, field="delete_version_after")
