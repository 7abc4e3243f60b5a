"""Values in stores that hold maps alone, or text alone, and back: nothing is lost either way.

A JSON object is its own map. Any other value is ``{"value": text}`` or ``{"value_base64": …}`` with its media type
beside it under ``wardgate:type``, so that its form travels inside the value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress

from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.values import JSON, TEXT, Value

TYPE_KEY = "wardgate:type"
"""Tells a wrapped value from a caller's own map; a caller cannot supply it."""
TEXT_KEY = "value"
BYTES_KEY = "value_base64"
_MAY_HOLD_TYPE_KEY = re.compile(rb"wardgate:type|\\u").search


def to_map(value: Value) -> dict[str, object]:
    """The map that stands for ``value``; :func:`from_map` gives the same value again.

    An object that holds ``wardgate:type`` itself is wrapped like text, so that it cannot pass for something else.
    """
    fields = value.fields()
    return _wrap(value) if fields is None or TYPE_KEY in fields else fields


def to_json(value: Value) -> bytes:
    """The JSON text of :func:`to_map`: an object's own text, byte for byte."""
    data = value.data
    if value.media_type == JSON and data.startswith(b"{") and not _MAY_HOLD_TYPE_KEY(data):
        return data  # the gateway lets no other text pass under this media type
    fields = value.fields()
    if fields is None or TYPE_KEY in fields:
        return json.dumps(_wrap(value), ensure_ascii=False).encode()
    return value.data


def from_map(mapping: Mapping[str, object]) -> Value:
    """The value a map stands for: what was wrapped, unwrapped; any other map as a JSON object.

    Raises:
        InvalidValue: the map holds what JSON cannot: a lone surrogate, NaN, an infinity.
    """
    return _unwrap(mapping) or Value(_encode(mapping), JSON)


def to_text(value: Value, *, unfit: str | None = None) -> str:
    """The text that stands for ``value`` in a store that holds text alone; :func:`from_text` gives the same again.

    Text is its own. Bytes, text that could pass for such bytes, and text that has ``unfit`` in it, are wrapped as
    base64, which makes all of them a third longer and no more.
    """
    text = value.text()
    if text is None or (unfit is not None and unfit in text) or from_text(text).data != value.data:
        return json.dumps(_wrap_bytes(value))
    return text


def from_text(text: str) -> Value:
    """The value that a store's text stands for: what was wrapped, unwrapped; any other text as it is.

    Raises:
        InvalidValue: the text holds a lone surrogate.
    """
    data = None
    with suppress(UnicodeEncodeError):  # it holds the text, so what is told of it is raised outside
        data = text.encode()
    if data is None:
        raise InvalidValue("the value holds a lone surrogate")
    plain = Value(data, TEXT)
    fields = plain.fields()
    if fields is None:
        return plain
    return _unwrap(fields) or Value(plain.data, JSON)


def _wrap(value: Value) -> dict[str, object]:
    text = value.text()
    if text is not None:
        return {TEXT_KEY: text, TYPE_KEY: value.media_type}
    return _wrap_bytes(value)


def _wrap_bytes(value: Value) -> dict[str, object]:
    return {BYTES_KEY: base64.b64encode(value.data).decode(), TYPE_KEY: value.media_type}


def _unwrap(mapping: Mapping[str, object]) -> Value | None:
    """The wrapped value; None for a map that only resembles one, which is somebody's own."""
    media_type = mapping.get(TYPE_KEY)
    text, encoded = mapping.get(TEXT_KEY), mapping.get(BYTES_KEY)
    if not isinstance(media_type, str) or len(mapping) != len((TYPE_KEY, TEXT_KEY)):
        return None
    try:
        if isinstance(text, str):
            data = text.encode()
        elif isinstance(encoded, str):
            data = base64.b64decode(encoded, validate=True)
        else:
            return None
        if media_type == JSON:
            strict_json.loads(data)  # a store says what it likes, and others trust this media type
    except (ValueError, Malformed):
        return None
    return Value(data, media_type)


def _encode(mapping: Mapping[str, object]) -> bytes:
    with suppress(ValueError):  # it holds the text, so what is told of it is raised outside
        return json.dumps(mapping, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    raise InvalidValue("the value holds what JSON cannot: a lone surrogate, NaN or an infinity")
