"""What KV version 2 says of versions and secrets, read as the gateway's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from wardgate.spi.values import SecretInfo, SecretSettings, VersionInfo, VersionState

from wardgate_vault.durations import SECOND, format_duration, parse_duration

MAX_VERSION_DIGITS = 18
FIRST_SECOND, LAST_SECOND = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1, 9999))
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 time. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    whole, fraction, zone = match.groups()
    seconds = int(datetime.fromisoformat(whole + zone).timestamp())
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise ValueError("not an RFC 3339 time: it has no year in UTC")
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def version_number(version: str) -> int | None:
    """The number a version id is, or None where it cannot be one of this store's (0 would mean the newest)."""
    if version.isascii() and version.isdigit() and version[0] != "0" and len(version) <= MAX_VERSION_DIGITS:
        return int(version)
    return None


def version_info(number: int, metadata: Mapping[str, Any], *, now: int) -> VersionInfo:
    """One version from its metadata. Raises KeyError, TypeError or ValueError for what is none."""
    if not 1 <= _whole(number) < 10**MAX_VERSION_DIGITS:
        raise ValueError("not a version's number")
    destroyed = _yes_or_no(metadata["destroyed"])
    deletion = parse_time(metadata["deletion_time"]) if metadata["deletion_time"] else None
    deleted = deletion is not None and deletion <= now
    state = VersionState.DELETED if deleted else VersionState.LIVE
    return VersionInfo(
        id=str(number),
        ordinal=number,
        created_at=parse_time(metadata["created_time"]),
        state=VersionState.DESTROYED if destroyed else state,
        deleted_at=deletion if deleted else None,
        expires_at=None if deleted else deletion,
        labels=labels(metadata) if "custom_metadata" in metadata else None,
    )


def secret_info(data: Mapping[str, Any], *, now: int) -> SecretInfo:
    """A secret from its metadata. Raises KeyError, TypeError or ValueError for what is none."""
    numbered = {version_number(number): metadata for number, metadata in data["versions"].items()}
    if None in numbered:
        raise ValueError("not a version's number")
    versions = {number: version_info(number, numbered[number], now=now) for number in sorted(filter(None, numbered))}
    return SecretInfo(
        current=versions.get(_whole(data["current_version"])),
        versions=tuple(versions.values()),
        created_at=parse_time(data["created_time"]),
        updated_at=parse_time(data["updated_time"]),
        labels=labels(data),
        settings=settings(data),
    )


def settings(data: Mapping[str, Any], *, of_engine: bool = False) -> SecretSettings:
    """The settings of a secret, or of the engine. Raises KeyError, TypeError or ValueError for what is none."""
    after = data["delete_version_after"]
    return SecretSettings(
        max_versions=_whole(data["max_versions"]),
        compare_and_set_required=_yes_or_no(data["cas_required"]),
        delete_after=-_delete_after(after[1:]) if of_engine and after.startswith("-") else _delete_after(after),
    )


def changes(labels: Mapping[str, str | None] | None, settings: SecretSettings) -> dict[str, object]:
    """The body that asks for these changes and for no other."""
    after = settings.delete_after
    body = {
        "custom_metadata": None if labels is None else dict(labels),
        "max_versions": settings.max_versions,
        "cas_required": settings.compare_and_set_required,
        "delete_version_after": None if after is None else format_duration(after),
    }
    return {name: change for name, change in body.items() if change is not None}


def labels(data: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels: Vault's custom metadata. Raises ValueError for what is none."""
    given = data.get("custom_metadata") or {}
    if not isinstance(given, dict) or not all(isinstance(label, str) for label in given.values()):
        raise ValueError("not labels")
    return given


def _whole(given: object) -> int:
    if type(given) is not int or not 0 <= given < 10**MAX_VERSION_DIGITS:
        raise ValueError("not a number that counts something")
    return given


def _yes_or_no(given: object) -> bool:
    if type(given) is not bool:
        raise ValueError("neither true nor false")
    return given


def _delete_after(text: str) -> int:
    # A negative duration is how an operator turns the engine's own setting off for one secret.
    return 0 if text.startswith("-") else parse_duration(text, field="delete_version_after")
