"""Whether two stores hold the same value, each in its own way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed
from wardgate.spi.values import JSON, Value

_NOTHING = object()


def same(one: Value, other: Value) -> bool:
    """Whether the bytes are equal, or both are the same JSON: some stores write it anew, and most keep no media type.

    Values that are JSON by chance alone, and no objects, are compared by their bytes.
    """
    if one.data == other.data:
        return True
    if JSON in {one.media_type, other.media_type}:
        first, second = _decoded(one.data), _decoded(other.data)
        return first is not _NOTHING and second is not _NOTHING and _equal(first, second)
    if one.fields() is None or other.fields() is None:
        return False
    return _equal(_decoded(one.data), _decoded(other.data))


def _decoded(data: bytes) -> Any:
    try:
        strict_json.loads(data)
        return json.loads(data, parse_int=Decimal, parse_float=Decimal)
    except (Malformed, ValueError, ArithmeticError):
        return _NOTHING


def _equal(one: Any, other: Any) -> bool:
    """As JSON has it: 1 and 1.0 are one number, 1 and true are not the same; no digit is rounded away."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
