"""What KV version 2's bodies and parameters ask for, in the operations' words; what cannot be read raises."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from wardgate.spi.errors import Conflict, InvalidValue, TooLarge
from wardgate.spi.maps import TYPE_KEY
from wardgate.spi.operations.secrets import Absent, Ordinal
from wardgate.spi.values import JSON, SecretSettings, Value

from wardgate_vault.api import wire
from wardgate_vault.durations import LONGEST, SECOND, parse_duration

MAX_SELECTED = 1_000
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 512
MAX_KEPT = 2**31 - 1
RESERVED = f"the key {TYPE_KEY} is the gateway's own; use another"


class Every(enum.Enum):
    """Stands for all labels there are."""

    LABEL = "label"


EVERY = Every.LABEL
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_KNOWN = frozenset({"data", "options"})


def version(given: str | None) -> Ordinal | None:
    """``?version=``; none, nothing, zero and less ask for the current one."""
    number = _parameter("version", given)
    return Ordinal(number) if number > 0 else None


def window(parameters: Mapping[str, str]) -> tuple[str, int]:
    """``?after=`` and ``?limit=`` of a list; 0 for no limit."""
    return parameters.get("after", ""), max(0, _parameter("limit", parameters.get("limit")))


def depth(given: str | None) -> int:
    """``?depth=``; 0 for all the way down. Less than that is no deeper than the first names."""
    number = _parameter("depth", given)
    return number if number >= 0 else 1


def ignored(parameters: Mapping[str, str], *known: str) -> tuple[str, ...]:
    """The warning about parameters of the query that mean nothing here."""
    unknown = sorted(parameters.keys() - {"list", "scan", "path", *known})
    return (f"Endpoint ignored these unrecognized parameters: [{' '.join(unknown)}]",) if unknown else ()


def _parameter(name: str, given: str | None) -> int:
    if not given:
        return 0
    if not _WHOLE.fullmatch(given) or int(given) > LONGEST:
        raise InvalidValue(f'Field validation failed: error converting input for field "{name}": no whole number')
    return int(given)


def written(body: bytes) -> tuple[Value, Ordinal | Absent | None, tuple[str, ...]]:
    """The value to write, what must be current, and warnings of parameters that were not understood."""
    asked, plain = wire.decode(body, wire.WriteData)
    fields = plain.get("data")
    if fields is None:
        raise InvalidValue("no data provided")
    if not isinstance(fields, dict):
        raise InvalidValue('error converting input for field "data": expected an object')
    if TYPE_KEY in fields:
        raise InvalidValue(RESERVED)
    unknown = sorted(plain.keys() - _KNOWN)
    warnings = (f"Endpoint ignored these unrecognized parameters: [{' '.join(unknown)}]",) if unknown else ()
    return Value(bytes(asked.data), JSON), _expected(asked.options or {}), warnings


def whole(body: bytes) -> Value:
    """The value that a body of version 1 is, kept as the text received."""
    _, fields = wire.decode(body, dict[str, msgspec.Raw])
    if not fields:
        raise InvalidValue("missing data fields")
    if TYPE_KEY in fields:
        raise InvalidValue(RESERVED)
    return Value(body.strip(), JSON)


def _expected(options: Mapping[str, Any]) -> Ordinal | Absent | None:
    if "cas" not in options:
        return None
    given = options["cas"]
    number = _whole(0 if given is None else given)
    if number is None:
        raise InvalidValue("error parsing check-and-set parameter")
    if not 0 <= number <= LONGEST:
        raise Conflict
    return Ordinal(number) if number else Absent()


def selected(body: bytes, *, none: str = "No version number provided") -> tuple[Ordinal, ...]:
    """The versions that a body names, once each; at least one, else ``none`` is said."""
    asked, _ = wire.decode(body, wire.SelectVersions)
    given = asked.versions
    listed = given if isinstance(given, list) else wire.texts(given) if isinstance(given, str) else (given,)
    numbers = {number for one in listed if one is not None and (number := _version(one))}
    if not numbers:
        raise InvalidValue(none)
    if len(numbers) > MAX_SELECTED:
        raise TooLarge(f"more than {MAX_SELECTED} versions at once")
    return tuple(Ordinal(number) for number in sorted(numbers))


def _version(given: object) -> int:
    number = _whole(given)
    if number is None or not 0 < number <= LONGEST:
        raise InvalidValue('Field validation failed: error converting input for field "versions": no version number')
    return number


def _whole(given: object) -> int | None:
    if isinstance(given, str):
        return int(given) if _WHOLE.fullmatch(given) else None
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def patched(body: bytes) -> tuple[Value, Ordinal | None, tuple[str, ...]]:
    """The merge patch, what must be current, and warnings of parameters that were not understood."""
    value, expected, warnings = written(body)
    # There is a version to merge into, or there is nothing to do: 0 can only be a conflict.
    return value, Ordinal(0) if isinstance(expected, Absent) else expected, warnings


def annotated(body: bytes) -> tuple[dict[str, str | None] | None, SecretSettings | None, tuple[str, ...]]:
    """Labels and settings to change, None for what is not mentioned, and warnings. Null puts back to nothing."""
    asked, plain = wire.decode(body, wire.WriteMetadata)
    labels = _labels(asked.custom_metadata or {}) if "custom_metadata" in plain else None
    return labels, _metadata_settings(asked, plain), wire.ignored(plain, wire.WriteMetadata)


def patched_metadata(
    body: bytes,
) -> tuple[dict[str, str | None] | Every | None, SecretSettings | None, tuple[str, ...]]:
    """The same of a merge patch, in which null takes one label away, or every one."""
    asked, plain = wire.decode(body, wire.WriteMetadata)
    settings, warnings = _metadata_settings(asked, plain), wire.ignored(plain, wire.WriteMetadata)
    if asked.custom_metadata is None:
        return EVERY if "custom_metadata" in plain else None, settings, warnings
    labels = _labels({key: value for key, value in asked.custom_metadata.items() if value is not None})
    return labels | dict.fromkeys(asked.custom_metadata.keys() - labels.keys()), settings, warnings


def _metadata_settings(asked: wire.WriteMetadata, plain: Mapping[str, Any]) -> SecretSettings | None:
    _no_metadata_cas(asked.metadata_cas, asked.metadata_cas_required)
    nothing = wire.WriteMetadata(max_versions=0, cas_required=False, delete_version_after=0)
    for name in ("max_versions", "cas_required", "delete_version_after"):
        if name in plain and plain[name] is None:
            setattr(asked, name, getattr(nothing, name))
    settings = _settings(asked)
    return None if settings == SecretSettings() else settings


def configured(body: bytes) -> SecretSettings | None:
    """Settings to change for a whole mount. A negative duration says that no version ends by itself."""
    asked, _ = wire.decode(body, wire.WriteConfig)
    _no_metadata_cas(None, asked.metadata_cas_required)
    after = asked.delete_version_after
    if after is not None and str(after).strip().startswith("-"):
        asked.delete_version_after = 0
        settings = replace(_settings(asked), delete_after=-SECOND)
    else:
        settings = _settings(asked)
    return None if settings == SecretSettings() else settings


def _settings(asked: wire.WriteMetadata | wire.WriteConfig) -> SecretSettings:
    if not 0 <= (asked.max_versions or 0) <= MAX_KEPT:
        raise InvalidValue('error converting input for field "max_versions": negative, or too large')
    after = asked.delete_version_after
    return SecretSettings(
        max_versions=asked.max_versions,
        compare_and_set_required=asked.cas_required,
        delete_after=None if after is None else parse_duration(after, field="delete_version_after"),
    )


def _no_metadata_cas(expected: int | None, required: bool | None) -> None:  # noqa: FBT001  # a field of the body
    """Metadata has no version of its own here; a caller who counts on one must not believe that it was compared."""
    if expected is not None or required:
        raise InvalidValue("metadata_cas and metadata_cas_required are not supported: metadata is not numbered here")


def _labels(given: Mapping[str, Any]) -> dict[str, str | None]:
    """Labels as Vault bounds them; plain scalars become text."""
    if len(given) > MAX_LABELS:
        raise _bad_label(f"payload must contain at most {MAX_LABELS} keys, provided {len(given)}")
    labels = {key: _label(value) for key, value in given.items()}
    for key, value in labels.items():
        if not 0 < len(key.encode()) <= MAX_LABEL_KEY:
            raise _bad_label(f"length of a key must be 0 < len(key) <= {MAX_LABEL_KEY}")
        if not 0 < len(value.encode()) <= MAX_LABEL_VALUE:
            raise _bad_label(f"length of a value must be 0 < len(value) <= {MAX_LABEL_VALUE}")
        if not (key.isprintable() and value.isprintable()):
            raise _bad_label("a key or a value contains unprintable characters")
    return {**labels}


def _label(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidValue("custom_metadata validation failed: a value must be text")


def _bad_label(why: str) -> InvalidValue:
    return InvalidValue(f"1 error occurred:\n\t* custom_metadata validation failed: {why}\n\n")
