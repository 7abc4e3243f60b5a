"""Cases: names and values that break quoting, escaping and guessing."""

from __future__ import annotations

import contextlib
import re

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, Malformed, SecretNotFound, TooLarge
from wardgate.spi.path import MAX_SEGMENT_BYTES, MAX_SEGMENTS, ROOT, Path
from wardgate.spi.values import BYTES, JSON, TEXT, Entry, Value

from wardgate_conformance.selection import lacks, needs
from wardgate_conformance.values import SECRET, document, names, same

NAMES = (
    "with space", "100%", "%41", "%2e%2e", "%2f", "%00", "what?", "a=b&c=d", "frag#ment", "semi;colon", "plus+sign",
    "quote'quote", 'double"quote', "tick`", "<tag>", "{brace}", "$HOME", "~home", "star*", "@at", "co:lon", "co,mma",
    "...", "..a", "a..b", ".hidden", "-flag", "data", "metadata", "config", "NUL", "ünïcödé", "日本語", "😀", "עברית",
    "مفتاح", "कुंजी", "กุญแจ", "ΟΔΟΣ", "a\u0301b", "x" * 255,
)  # fmt: skip
VALUES = (
    Value(b"\x00"), Value(bytes(range(256))), Value(b"\xff\xfe\xfa"),
    Value("grüße 😀\n\r\t\x00\x1b\u2028".encode(), TEXT), Value(b" \n trailing and leading \n ", TEXT),
    Value("e\u0301 \u212b \uac00 \u1100\u1161 \ufb01 ΟΔΟΣ οδός مفتاح कुंजी กุญแจ".encode(), TEXT),
    Value('{"e\u0301": "\u212b \u1100\u1161", "\u00e9": "ΟΔΟΣ", "مفتاح": "कुंजी กุญแจ"}'.encode(), JSON),
    Value(b"null", JSON), Value(b"[1, 2, 3]", JSON), Value(b'"text"', JSON), Value(b"{", TEXT), Value(b"{}", JSON),
    Value(b'{"a": 1, "a": 2}', TEXT), Value(b'{"n": NaN}', TEXT), Value(b'{"\\ud800": 1}', TEXT),
    Value(b'{"big": 123456789012345678901234567890, "exact": 9007199254740993, "float": 0.1, "list": [[]]}', JSON),
    Value(b'{"": "", " ": null, "deep": {"er": {"est": true}}}', JSON), Value(b'  {"spaced" : "out"}  ', JSON),
    Value(b'{"value": "not wrapped"}', JSON), Value(b'{"value_base64": "AAAA"}', JSON),
    Value(b'{"data": {"data": 1}, "metadata": {}, "options": {"cas": 0}}', JSON),
)  # fmt: skip
REFUSED = (InvalidValue, Malformed, TooLarge)
PLAIN = re.compile(r"[A-Za-z0-9]+")


class HostileNames:
    """A store holds a name or refuses it; it never takes one for another."""

    @needs("write")
    @pytest.mark.parametrize("name", NAMES, ids=ascii)
    async def test_a_name_is_held_or_refused(self, backend: Backend, name: str) -> None:
        """As a secret and as a folder; and a list gives it back as it was. What cannot be held is not there."""
        for path in (Path(("folder", name)), Path((name, "leaf"))):
            try:
                Path.parse(str(path))
            except REFUSED:
                continue  # nobody can ask the gateway for it
            try:
                await backend.write(path, document(path=str(path)))
            except REFUSED:
                fits = len(str(path).encode()) <= backend.capabilities.max_path_bytes
                assert not (fits and PLAIN.fullmatch(name)), "a plain name must be held"
                with pytest.raises(SecretNotFound):
                    await backend.read(path)
                continue
            # Only the write may refuse: what was accepted is read and listed.
            assert {"path": str(path)} == (await backend.read(path)).value.fields()
            if backend.capabilities.list:
                assert [Entry(path.segments[-1])] == await names(backend, Path(path.segments[:-1]))

    @needs("write")
    async def test_similar_names_are_different_secrets(self, backend: Backend) -> None:
        """Case, encodings, look-alikes and what a cleaner would strip: each keeps its own value."""
        held = {}
        for name in (
            "key",
            "Key",
            "KEY",
            "key\u200bx",
            "ke%79",
            "key%20",
            "key+",
            "key-",
            "key_",
            "key.",
            "k/ey",
            "к\u0435y",
        ):
            with contextlib.suppress(*REFUSED):
                path = Path.parse(name)
                await backend.write(path, document(name=name))
                held[name] = path
        assert held
        for name, path in held.items():
            assert {"name": name} == (await backend.read(path)).value.fields()

    @needs("write")
    async def test_the_longest_path_declared_is_held(self, backend: Backend) -> None:
        """To the byte (or one less), in as few segments as paths allow."""
        room = backend.capabilities.max_path_bytes
        starts = range(0, room, MAX_SEGMENT_BYTES + 1)
        longest = Path.parse("/".join("n" * min(MAX_SEGMENT_BYTES, room - start) for start in starts))
        await backend.write(longest, document(a="b"))
        assert (await backend.read(longest)).value.fields() == {"a": "b"}

    @needs("write")
    async def test_the_deepest_path_is_held_or_refused(self, backend: Backend) -> None:
        """A store whose own paths are shorter says so; it does not cut."""
        deepest = Path(("s",) * MAX_SEGMENTS)
        try:
            await backend.write(deepest, document(a="b"))
        except REFUSED:
            with pytest.raises(SecretNotFound):
                await backend.read(deepest)
            return
        assert (await backend.read(deepest)).value.fields() == {"a": "b"}

    async def test_the_root_is_no_secret(self, backend: Backend) -> None:
        """An empty path reads nothing; above all not the store's own root."""
        with pytest.raises(SecretNotFound):
            await backend.read(ROOT)


class HostileValues:
    """Bytes in are bytes out; a JSON object comes back equal."""

    @needs("write")
    @lacks("min_value_bytes")
    @pytest.mark.parametrize("value", [Value(b"", BYTES), Value(b"", TEXT)], ids=["bytes", "text"])
    async def test_an_empty_value_is_a_value(self, backend: Backend, value: Value) -> None:
        """Nothing is not the same as no secret. A store that cannot hold it declares ``min_value_bytes``."""
        await backend.write(SECRET, value)
        found = await backend.read(SECRET)
        assert value.data == found.value.data

    @needs("write", "min_value_bytes")
    async def test_an_empty_value_is_refused(self, backend: Backend) -> None:
        """By a store that declares it: as InvalidValue, and there is no secret afterwards."""
        for kind in (BYTES, TEXT):
            with pytest.raises(InvalidValue):
                await backend.write(SECRET, Value(b"", kind))
            with pytest.raises(SecretNotFound):
                await backend.read(SECRET)

    @needs("write")
    @pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value.data[:24]))
    async def test_a_value_comes_back(self, backend: Backend, value: Value) -> None:
        """What it looks like is nobody's business."""
        await backend.write(SECRET, value)
        assert same(value, (await backend.read(SECRET)).value)

    @needs("write")
    async def test_a_stored_form_written_by_hand_is_only_a_value(self, backend: Backend) -> None:
        """However a backend wraps what its store cannot hold: a caller who writes that form reads that form."""
        for text in (
            b'{"value": "x", "wardgate:type": "text/plain"}',
            b'{"value_base64": "AAE=", "wardgate:type": "application/octet-stream"}',
            b'{"wardgate:type": "text/plain"}',
        ):
            value = Value(text, JSON)
            try:
                await backend.write(SECRET, value)
            except InvalidValue:
                continue
            assert same(value, (await backend.read(SECRET)).value)
