"""What is known of secrets and versions, in the shapes of KV version 2."""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.spi.maps import to_json, to_map
from wardgate.spi.values import SecretInfo, SecretSettings, SecretVersion, VersionInfo, VersionState

from wardgate_vault.api.envelope import encode
from wardgate_vault.durations import UNSET, format_duration, rfc3339


def version(found: SecretVersion) -> bytes:
    """JSON text of a version and its value; an object's own text is passed through untouched."""
    info = found.info
    labels = encode(dict(found.labels)) if found.labels else b"null"
    return b"".join(
        (
            b'{"data":',
            to_json(found.value),
            b',"metadata":{"created_time":"',
            _made(info.created_at).encode(),
            b'","custom_metadata":',
            labels,
            b',"deletion_time":"',
            rfc3339(info.expires_at).encode(),
            b'","destroyed":false,"version":%d}}' % info.ordinal,
        )
    )


def gone(version: VersionInfo) -> bytes:
    """JSON text of a version whose value is not to be had."""
    return encode({"data": None, "metadata": info(version)})


def info(version: VersionInfo) -> dict[str, object]:
    """A version without its value."""
    return {
        "created_time": _made(version.created_at),
        "custom_metadata": dict(version.labels) if version.labels else None,
        "deletion_time": _deletion_time(version),
        "destroyed": version.state is VersionState.DESTROYED,
        "version": version.ordinal,
    }


def subkeys(found: SecretVersion, depth: int) -> dict[str, object]:
    """The names of a value's fields with null for each value, as deep as asked (0: all the way)."""
    metadata = dict(info(found.info), custom_metadata=dict(found.labels) or None)
    return {"metadata": metadata, "subkeys": _names(to_map(found.value), depth, 1)}


def _names(fields: Mapping[str, object], depth: int, at: int) -> dict[str, object]:
    deeper = depth == 0 or at < depth
    return {
        name: _names(value, depth, at + 1) if deeper and isinstance(value, dict) and value else None
        for name, value in fields.items()
    }


def config(settings: SecretSettings) -> dict[str, object]:
    """The settings of a mount."""
    return {
        "cas_required": bool(settings.compare_and_set_required),
        "delete_version_after": format_duration(settings.delete_after or 0),
        "max_versions": settings.max_versions or 0,
        "metadata_cas_required": False,
    }


def secret(known: SecretInfo) -> dict[str, object]:
    """A secret without any value, its versions keyed by their ordinals."""
    ordinals = [version.ordinal for version in known.versions]
    settings = known.settings
    return {
        "cas_required": bool(settings.compare_and_set_required),
        "created_time": _made(known.created_at),
        "current_version": known.current.ordinal if known.current else 0,
        "custom_metadata": dict(known.labels) or None,
        "delete_version_after": format_duration(settings.delete_after or 0),
        "max_versions": settings.max_versions or 0,
        "metadata_cas_required": False,
        # Vault counts from 0 until the first version is dropped.
        "oldest_version": min(ordinals) if ordinals and min(ordinals) > 1 else 0,
        "updated_time": _made(known.updated_at),
        "versions": {
            str(version.ordinal): {
                "created_time": _made(version.created_at),
                "deletion_time": _deletion_time(version),
                "destroyed": version.state is VersionState.DESTROYED,
            }
            for version in known.versions
        },
    }


def _made(time: int) -> str:
    """When something was made; Go's zero time where the store keeps no times, as Vault shows what was never set."""
    return rfc3339(time) if time else UNSET


def _deletion_time(version: VersionInfo) -> str:
    """When the version was, or will be, deleted. Clients take an empty text for a live version."""
    if version.state is VersionState.LIVE:
        return rfc3339(version.expires_at)
    if version.state is VersionState.DESTROYED:
        return rfc3339(version.deleted_at or version.expires_at)
    # Never UNSET: to Go's clients a version deleted at the zero time is a live one.
    return rfc3339(next((time for time in (version.deleted_at, version.expires_at) if time), version.created_at))
