"""Values as the text that a vault keeps, and their media type as its content type."""

from __future__ import annotations

import re
from typing import Any

from wardgate.spi import maps, strict_json
from wardgate.spi.errors import InvalidValue, Malformed, TooLarge
from wardgate.spi.values import JSON, TEXT, Value

MAX_TEXT_BYTES = 25_000
MAX_TYPE = 255
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]*/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


def text_of(value: Value) -> str:
    """The text to keep. Raises InvalidValue for an empty value, TooLarge."""
    if not value.data:
        raise InvalidValue("this store cannot hold an empty value")
    if len(value.media_type) > MAX_TYPE:
        raise TooLarge(f"this store keeps media types of {MAX_TYPE} characters")
    text = maps.to_text(value)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise TooLarge(f"the value takes more than the {MAX_TEXT_BYTES} bytes this store can hold")
    return text


def value_of(found: Any) -> Value:
    """The value of a secret that the SDK read."""
    text = found.value or ""
    value = maps.from_text(text)
    if value.data != text.encode():
        return value  # its media type travelled inside it
    said = found.properties.content_type or ""
    # Whoever wrote it may have put any words there; others trust what is called JSON.
    if not _MEDIA_TYPE.fullmatch(said) or (said == JSON and not _is_json(value.data)):
        said = JSON if value.fields() is not None else TEXT
    return Value(value.data, said)


def _is_json(data: bytes) -> bool:
    try:
        strict_json.loads(data)
    except Malformed:
        return False
    return True
