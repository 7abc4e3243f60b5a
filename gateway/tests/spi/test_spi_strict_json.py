"""JSON that parsers disagree about is refused before any of them reads it."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed

REFUSED = {
    "nothing": b"",
    "duplicate keys": b'{"a":1,"a":2}',
    "duplicate keys by escape": b'{"a":1,"\\u0061":2}',
    "nested duplicate keys": b'{"x":[{"a":1,"a":2}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b"[Infinity]",
    "minus Infinity": b"[-Infinity]",
    "a float beyond range": b"[1e999]",
    "5,000 digits": b"[" + b"9" * 5_000 + b"]",
    "nested 100,000 deep": b"[" * 100_000,
    "nested 33 deep": b"[" * 33 + b"]" * 33,
    "objects nested 33 deep": b'{"a":' * 33 + b"1" + b"}" * 33,
    "100,000 items": b"[" + b"1," * 100_000 + b"1]",
    "a lone surrogate": b'"\\ud800"',
    "a lone surrogate as key": b'{"\\udfff":1}',
    "not UTF-8": b'"\xff"',
    "UTF-16": '"a"'.encode("utf-16"),
    "a byte-order mark": b'\xef\xbb\xbf{"a":1}',
    "trailing text": b"{} {}",
    "a comment": b"{} // x",
    "a trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a raw control character": b'"a\nb"',
    "unclosed": b'{"a":"b',
}


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguous_or_hostile_json_is_refused(document: bytes) -> None:
    """Each is Malformed, never another exception, and the message does not quote it."""
    with pytest.raises(Malformed):
        strict_json.loads(document)


def test_a_bomb_of_small_items_costs_little() -> None:
    """Ten megabytes of small items are refused before they are built (a bound far above the cost, not a timing)."""
    started = time.process_time()
    with pytest.raises(Malformed):
        strict_json.loads(b"[" + b"[],{}," * 1_700_000 + b"0]")
    assert time.process_time() - started < 5


HOSTILE = {
    "escaped quotes without an end": b'"' + b'\\"' * 500_000,
    "quotes": b'"' * 1_000_000,
    "backslashes": b'"' + b"\\" * 1_000_001,
    "one long string": b'"' + b"a" * 1_000_000 + b'"',
    "strings and escapes in turn": b'["' + b'a\\"' * 300_000 + b'"]',
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_document_takes_more_than_one_pass(document: bytes) -> None:
    """A megabyte of any bytes is read or refused at once; it once took hours and half a gigabyte."""
    tracemalloc.start()
    started = time.process_time()
    with contextlib.suppress(Malformed):
        strict_json.loads(document)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - started < 5
    assert peak < 32 * len(document)


BLANK = {
    "blanks behind a few brackets": b"["
    + b"[" * 20
    + b"]" * 20
    + b","
    + b"[" * 20
    + b"]" * 20
    + b" " * 8_000_000
    + b"]",
    "brackets that were never opened": b"[]" * 40 + b"]" * 8_000_000,
    "brackets in turn": b"[" * 40 + b"]" * 8_000_000,
}


@pytest.mark.parametrize("document", BLANK.values(), ids=BLANK.keys())
def test_what_is_between_the_brackets_costs_nothing(document: bytes) -> None:
    """Eight megabytes of it once took a second (a bound above the cost, not a timing)."""
    started = time.process_time()
    with contextlib.suppress(Malformed):
        strict_json.loads(document)
    assert time.process_time() - started < 0.5


def test_brackets_and_commas_inside_strings_do_not_count() -> None:
    """Text is text: a value full of brackets is neither deep nor many."""
    document = json.dumps({"a": "[{," * 50_000, "b": '\\"[[['}).encode()
    assert {"a": "[{," * 50_000, "b": '\\"[[['} == strict_json.loads(document)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_plain_json_reads_as_the_standard_library_reads_it(document: object) -> None:
    """Strictness changes nothing for good documents."""
    text = json.dumps(document)
    assert json.loads(text) == strict_json.loads(text.encode())


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_malformed(document: bytes) -> None:
    """No input brings another exception."""
    with contextlib.suppress(Malformed):
        strict_json.loads(document)
