"""One path type: what it refuses was, each, a way round a policy somewhere."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import Malformed
from wardgate.spi.path import MAX_SEGMENTS, Path, all_plain, is_segment

REFUSED = {
    "empty": b"",
    "leading slash": b"/a",
    "trailing slash": b"a/",
    "doubled slash": b"a//b",
    "dot": b"a/./b",
    "dot dot": b"a/../b",
    "encoded dot dot": b"a/%2e%2e/b",
    "half-encoded dot dot": b"a/.%2E/b",
    "encoded slash": b"a%2fb",
    "encoded slash, capitals": b"a%2Fb",
    "encoded backslash": b"a%5cb",
    "backslash": b"a\\..\\b",
    "newline": b"a%0ab",
    "NUL": b"a%00b",
    "delete": b"a%7fb",
    "C1 control": b"a%c2%85b",
    "line separator": b"a%e2%80%a8b",
    "not UTF-8": b"a%ffb",
    "another not UTF-8": b"a%feb",
    "overlong slash": b"a%c0%afb",
    "lone surrogate": b"a%ed%a0%80b",
    "replacement character": b"a%ef%bf%bdb",
    "not NFC": b"e%cc%81",
    "half a percent sign": b"a%2",
    "a percent sign before no digits": b"a%zzb",
    "leading space": b"a/%20b",
    "trailing space": b"a/b%20",
    "trailing no-break space": b"a/b%c2%a0",
    "segment of 256 bytes": b"a" * 256,
    "segment of 256 bytes in 128 characters": quote("é" * 128).encode(),
    "33 segments": b"/".join([b"a"] * 33),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_mean_two_things_is_refused(raw: bytes) -> None:
    """No spelling of a path outside the grammar gets past the constructor."""
    with pytest.raises(Malformed):
        Path.from_raw(raw)


def test_decoding_happens_exactly_once() -> None:
    """A doubly encoded dot stays text; it is not decoded again further down."""
    assert Path(("a", "%2e%2e", "b")) == Path.from_raw(b"a/%252e%252e/b")


def test_case_is_kept() -> None:
    """A case variant is another path, never the same."""
    assert Path.from_raw(b"Team/X") != Path.from_raw(b"team/x")


@pytest.mark.parametrize("raw", [b"a" * 255, b"/".join([b"a"] * 32), "日本語/ключ".encode(), b"a%20b", b"a%3Fb%23c%25"])
def test_the_edge_of_the_grammar_is_inside(raw: bytes) -> None:
    """The longest segment, the deepest path, every script, and encoded reserved characters are good paths."""
    assert Path.from_raw(raw).segments


segment = (
    st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="/\\\ufffd"), min_size=1, max_size=40)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: text not in {".", ".."} and len(text.encode()) <= 255 and "/" not in text)
)


@given(st.lists(segment, min_size=1, max_size=MAX_SEGMENTS))
def test_a_path_comes_back_from_its_own_text_and_wire_form(segments: list[str]) -> None:
    """Parsing and printing are inverse, by text and by percent-encoding."""
    path = Path(tuple(segments))
    assert path == Path.parse(str(path))
    assert path == Path.from_raw(quote(str(path)).encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_a_canonical_path_or_refused(raw: bytes) -> None:
    """Whatever comes, what is accepted equals its own canonical form."""
    try:
        path = Path.from_raw(raw)
    except Malformed:
        return
    assert path == Path.parse(str(path))
    assert unicodedata.is_normalized("NFC", str(path))


def test_prefixes_are_whole_segments() -> None:
    """``secretive/x`` is not below ``secret``."""
    assert not Path.parse("secretive/x").starts_with(Path.parse("secret"))
    assert Path.parse("x") == Path.parse("secret/x").below(Path.parse("secret"))


@pytest.mark.parametrize("name", ["a", "a b", "é", "a" * 255])
def test_a_name_that_can_be_a_segment_is_one(name: str) -> None:
    """As a path that is read says."""
    assert is_segment(name)
    assert Path.parse(name).segments == (name,)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a/", " a", "a\n", "a\\b", "e\u0301", "a" * 256])
def test_a_name_that_cannot_be_a_segment_is_none(name: str) -> None:
    """So that a list leaves it out."""
    assert not is_segment(name)


def test_every_short_ascii_name_is_judged_as_the_grammar_says() -> None:
    """The one look that passes most names passes none that the careful reading refuses, and the other way round."""
    ascii_characters = [chr(code) for code in range(128)]
    for name in ("", *ascii_characters, *(one + other for one in ascii_characters for other in ascii_characters)):
        printable = name.isprintable() and name.strip() == name and not set(name) & {"/", "\\"}
        assert is_segment(name) == (printable and name not in {"", ".", ".."}), name


@pytest.mark.parametrize("name", ["...", "a..", "..a", "a b", "a" * 255, "\U0001f511", "a" * 253 + "é"])
def test_a_name_at_the_edge_of_the_grammar_is_a_segment(name: str) -> None:
    """Dots beside anything else, a space within, 255 bytes."""
    assert is_segment(name)


def test_all_plain_passes_no_name_that_is_no_segment() -> None:
    """Neither among others nor alone; and it passes what stores are full of, so that the look at all is worth it."""
    ascii_characters = [chr(code) for code in range(128)]
    for name in ("", ".", "..", "a" * 256, "é", *ascii_characters, *(f"a{one}b" for one in ascii_characters)):
        assert is_segment(name) or not all_plain([name]), name
        assert all_plain([name]) == all_plain(["a", name, "b"]), name
    assert all_plain(["secret-00001", "app.env_2", "..."])
    assert all_plain([])
