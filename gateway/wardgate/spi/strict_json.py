"""JSON read strictly: one scan that refuses what parsers disagree about, before anything else reads it.

Refused with Malformed: duplicate keys, NaN and the infinities, numbers of more than ``MAX_DIGITS`` digits,
nesting deeper than ``MAX_DEPTH``, lone surrogates, bytes that are not UTF-8, a byte-order mark.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from wardgate.spi.errors import Malformed

MAX_DEPTH = 32
MAX_DIGITS = 64
MAX_ITEMS = 20_000

# Possessive, and an unclosed string is taken to the end: one pass over any bytes, without a stack of choices.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _refuse_constant(name: str) -> NoReturn:
    raise Malformed(f"the JSON holds {name}, which is not a JSON number")


def _number(text: str, kind: type[int | float]) -> int | float:
    if len(text) > MAX_DIGITS:
        raise Malformed(f"the JSON holds a number of more than {MAX_DIGITS} digits")
    number = kind(text)
    if number in (float("inf"), float("-inf")):
        raise Malformed("the JSON holds a number beyond what can be represented")
    return number


def _integer(text: str) -> int:
    return int(_number(text, int))


def _float(text: str) -> float:
    return float(_number(text, float))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Malformed("the JSON has the same key twice in one object")
    return result


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant
)


def check_shape(data: bytes, most: int = MAX_ITEMS, deepest: int = MAX_DEPTH) -> None:
    """Bound depth and items before anything is built: building is where the memory goes. Raises Malformed."""
    if data.count(b"[") + data.count(b"{") <= deepest and len(data) <= most:
        return  # nearly every document: its strings included, it has not enough brackets or bytes to be over
    strings = 2 * most + 1  # an item has a name and a value at most
    bare, found = _STRING.subn(b"", data, count=strings)
    opened = bare.count(b"[") + bare.count(b"{")
    if found == strings or bare.count(b",") + opened > most:
        raise Malformed(f"the JSON has more than {most} items")
    if opened <= deepest:
        return
    brackets = bare.translate(None, _NO_BRACKETS)
    if len(brackets) > 2 * opened:
        raise Malformed("the body is not valid JSON")
    depth = 0
    for byte in brackets:
        depth += 1 if byte in b"[{" else -1
        if depth > deepest:
            raise Malformed(f"the JSON is nested deeper than {deepest}")


def loads(data: bytes) -> object:
    """Decode one JSON document. Raises Malformed; the message never quotes the document."""
    check_shape(data)
    why = None
    try:
        text = data.decode("utf-8", errors="strict")
        decoded: object = _DECODER.decode(text)
        if b"\\u" in data:
            # Escapes can smuggle in a lone surrogate; it has no UTF-8 and would break every store.
            json.dumps(decoded, ensure_ascii=False).encode("utf-8", errors="strict")
    except UnicodeError:
        why = "the JSON is not valid UTF-8, or holds a lone surrogate"
    except (ValueError, RecursionError):
        why = "the body is not valid JSON"
    if why is not None:
        raise Malformed(why)  # outside of the handler: what was caught holds the document
    return decoded
