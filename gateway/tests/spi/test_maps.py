"""Values and maps: the two directions of one conversion."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.maps import TYPE_KEY, from_map, from_text, to_json, to_map, to_text
from wardgate.spi.values import BYTES, JSON, TEXT, Value

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
objects = st.dictionaries(st.text(), trees, max_size=4)
media_types = st.sampled_from([BYTES, TEXT, JSON, "image/png"])


def _is_json(data: bytes) -> bool:
    try:
        strict_json.loads(data)
    except Malformed:
        return False
    return True


@given(st.binary() | st.text().map(str.encode), media_types)
def test_bytes_come_back_as_they_were(data: bytes, media_type: str) -> None:
    """Any value that is no JSON object keeps its bytes and its media type through the map."""
    value = Value(data, media_type)

    if value.fields() is None and (media_type != JSON or _is_json(data)):  # the gateway stores nothing else as JSON
        assert value == from_map(to_map(value))


@given(objects)
def test_an_object_comes_back_equal(fields: dict[str, object]) -> None:
    """A JSON object is its own map."""
    value = Value(json.dumps(fields).encode(), JSON)

    assert fields == to_map(value) == from_map(to_map(value)).fields()


@given(st.binary() | objects.map(lambda fields: json.dumps(fields).encode()), media_types)
def test_json_text_is_the_map_encoded(data: bytes, media_type: str) -> None:
    """The text for the wire and the map for a store say the same."""
    value = Value(data, media_type)

    if media_type != JSON or _is_json(data):  # the gateway stores nothing else as JSON
        assert to_map(value) == json.loads(to_json(value))


def test_an_objects_text_is_kept() -> None:
    """What a caller wrote reads as written: order, spaces and number forms."""
    text = b'{ "b": 1.50, "a": 12345678901234567890 }'

    assert text == to_json(Value(text, JSON))


def test_an_object_that_imitates_a_wrapped_value_is_wrapped_itself() -> None:
    """An object with our own key in it comes back as that object, never as what it imitates."""
    value = Value(b'{"value_base64": "AAAA", "wardgate:type": "image/png"}', JSON)

    assert value == from_map(to_map(value))


@pytest.mark.parametrize(
    "mapping",
    [
        {TYPE_KEY: TEXT},
        {TYPE_KEY: TEXT, "value": 1},
        {TYPE_KEY: 1, "value": "x"},
        {TYPE_KEY: BYTES, "value_base64": "not base64"},
        {TYPE_KEY: TEXT, "value": "x", "more": "y"},
    ],
)
def test_a_map_that_only_resembles_a_wrapped_value_reads_naturally(mapping: dict[str, object]) -> None:
    """A foreign map with our key in it is a JSON object like any other."""
    assert mapping == from_map(mapping).fields()


@pytest.mark.parametrize("foreign", ["\ud800", float("nan")])
def test_what_json_cannot_hold_is_refused(foreign: object) -> None:
    """A store that sends such a thing ends in an error of the closed list."""
    with pytest.raises(InvalidValue) as told:
        from_map({"a": foreign})
    assert told.value.__context__ is None


def test_no_error_holds_the_value_that_it_is_about() -> None:
    """What was caught has the text in it, and would travel on as the context."""
    with pytest.raises(InvalidValue) as told:
        from_text("canary\ud800")
    assert told.value.__context__ is None
    for document in (b'"canary', b'"\xff"', b'"\\ud800"'):
        with pytest.raises(Malformed) as refused:
            strict_json.loads(document)
        assert refused.value.__context__ is None


def test_a_store_cannot_pass_other_text_for_json() -> None:
    """What is wrapped as JSON and is none stays somebody's own map: it would be pasted into an answer unread."""
    for text in ('{"a":1},"auth":{"client_token":"x"},"y":{"z":0}', '{"a":1,"a":2}', "{", ""):
        forged = {"value": text, TYPE_KEY: JSON}
        assert forged == from_map(forged).fields()


@given(st.binary() | st.text().map(str.encode) | objects.map(lambda fields: json.dumps(fields).encode()))
def test_bytes_come_back_from_text(data: bytes) -> None:
    """Whatever they are; a store of text alone holds them."""
    assert data == from_text(to_text(Value(data))).data


@pytest.mark.parametrize("data", [b'{"a": 1}', b"plain", '{"value": "é"}'.encode()])
def test_text_stands_in_a_store_as_it_is(data: bytes) -> None:
    """So that the vendor's own tools read it naturally."""
    assert data.decode() == to_text(Value(data))


def test_text_that_imitates_wrapped_bytes_is_wrapped_itself() -> None:
    """Nobody can make his text come back as other bytes."""
    forged = to_text(Value(b"\xff", BYTES))
    assert forged.encode() == from_text(to_text(Value(forged.encode(), TEXT))).data
