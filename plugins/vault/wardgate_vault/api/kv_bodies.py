"""What KV version 2's bodies and parameters ask for, in the operations' words; what cannot be read raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wardgate.spi.errors import Conflict, InvalidValue, TooLarge
from wardgate.spi.operations.secrets import Absent, Ordinal
from wardgate.spi.values import JSON, SecretSettings, Value

from wardgate_vault.api import wire
from wardgate_vault.durations import LONGEST, parse_duration
from wardgate_vault.maps import TYPE_KEY

MAX_SELECTED = 1_000
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 512
MAX_KEPT = 2**31 - 1

_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_KNOWN = frozenset({"data", "options"})


def version(given: str | None) -> Ordinal | None:
    """``?version=``; none, nothing, zero and less ask for the current one."""
    number = _parameter("version", given)
    return Ordinal(number) if number > 0 else None


def window(parameters: Mapping[str, str]) -> tuple[str, int]:
    """``?after=`` and ``?limit=`` of a list; 0 for no limit."""
    return parameters.get("after", ""), max(0, _parameter("limit", parameters.get("limit")))


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
        raise InvalidValue(f"the key {TYPE_KEY} is the gateway's own; use another")
    unknown = sorted(plain.keys() - _KNOWN)
    warnings = (f"Endpoint ignored these unrecognized parameters: [{' '.join(unknown)}]",) if unknown else ()
    return Value(bytes(asked.data), JSON), _expected(asked.options or {}), warnings


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


def selected(body: bytes) -> tuple[Ordinal, ...]:
    """The versions that a body names, once each; at least one."""
    asked, _ = wire.decode(body, wire.SelectVersions)
    given = asked.versions
    listed = given if isinstance(given, list) else wire.texts(given) if isinstance(given, str) else (given,)
    numbers = {number for one in listed if one is not None and (number := _version(one))}
    if not numbers:
        raise InvalidValue("No version number provided")
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


def annotated(body: bytes) -> tuple[dict[str, str] | None, SecretSettings | None]:
    """Labels and settings to change; None for what is not mentioned."""
    asked, _ = wire.decode(body, wire.WriteMetadata)
    after = asked.delete_version_after
    settings = SecretSettings(
        max_versions=asked.max_versions,
        compare_and_set_required=asked.cas_required,
        delete_after=None if after is None else parse_duration(after, field="delete_version_after"),
    )
    if not 0 <= (asked.max_versions or 0) <= MAX_KEPT:
        raise InvalidValue('error converting input for field "max_versions": negative, or too large')
    labels = None if asked.custom_metadata is None else _labels(asked.custom_metadata)
    return labels, None if settings == SecretSettings() else settings


def _labels(given: Mapping[str, Any]) -> dict[str, str]:
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
    return labels


def _label(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidValue("custom_metadata validation failed: a value must be text")


def _bad_label(why: str) -> InvalidValue:
    return InvalidValue(f"1 error occurred:\n\t* custom_metadata validation failed: {why}\n\n")
