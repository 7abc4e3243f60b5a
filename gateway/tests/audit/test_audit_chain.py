"""The chain, the lines and the keyed hashes of the audit."""

from __future__ import annotations

import hashlib
import hmac
import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.pipeline.audit.record import GENESIS, Broken, Chain, Record, Stamps, body_of, encode, half
from wardgate.pipeline.audit.renderer import KeyedHash


def body(request: str = "r-1") -> bytes:
    return encode(Record(0, "boot", "now", "closing", request, code="ok"))


def test_a_hash_covers_the_hash_before_and_the_line() -> None:
    """The published rule: SHA-256 over 32 bytes of the hash before and the line up to the comma before "hash"."""
    chain = Chain()
    head = GENESIS
    for number in range(1, 4):
        line = chain.link(body(f"r-{number}"))
        start, end = line.split(b',"hash":"')
        head = hashlib.sha256(head + start).digest()
        assert head.hex().encode() + b'"}\n' == end
        assert number == json.loads(line)["sequence"]


def test_following_gives_back_what_was_linked() -> None:
    """Who follows a chain reads its records and ends where it ended."""
    writer, reader = Chain(), Chain()
    for name in ("a", "b\n", '"hash":"x"}'):
        assert name == reader.follow(writer.link(body(name))).request
    assert (writer.sequence, writer.head) == (reader.sequence, reader.head)


@pytest.mark.parametrize("line", [b"", b"{}\n", b"x" * 200, b'{"shard":0,"hash":"' + b"0" * 64 + b'"}\n', b"\xff" * 99])
def test_what_is_no_record_is_refused(line: bytes) -> None:
    """Any other bytes are Broken, never another error."""
    with pytest.raises(Broken):
        Chain().follow(line)


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    """A line with one byte changed anywhere does not follow, and the chain stays where it was."""
    line = Chain().link(body())
    place = data.draw(st.integers(0, len(line) - 1))
    changed = bytearray(line)
    changed[place] ^= data.draw(st.integers(1, 255))
    reader = Chain()
    with pytest.raises(Broken):
        reader.follow(bytes(changed))
    assert (0, GENESIS) == (reader.sequence, reader.head)


def test_a_body_comes_back_from_its_line() -> None:
    """The request records a file carries over are those that were written."""
    assert body() == body_of(Chain().link(body()))


def test_only_a_beginning_of_one_record_is_half() -> None:
    """What a crash can leave is a line's beginning; a whole record with something behind it is not."""
    line = Chain().link(body())
    assert [True, True, False, False] == [half(line[:10]), half(line[:-1]), half(line), half(line[:-1] + b"x")]


def test_the_record_documents_its_fields_in_order() -> None:
    """The docstring is the format's documentation: every field, in the order they are written."""
    named = re.findall(r"``(\w+)``", Record.__doc__ or "")
    fields = Record.__struct_fields__
    assert [] == [field for field in fields if field not in named]
    plain = Record(
        1, "b", "t", "k", *("x",) * 12, {"a": "b"}, (msgspec.Raw(b"1"),), "ok", 1, "p", 0, "t", "v", "c", 1, "s", "v",
        1, 1, 1, "p", 1,
    )  # fmt: skip
    assert [field for field in fields if field not in {"open", "fault", "sequence", "hash"}] == list(
        json.loads(encode(plain))
    )


@given(st.binary(max_size=64), st.binary())
def test_keyed_hashes_are_hmacs(key: bytes, message: bytes) -> None:
    """Anyone with the key can compute them with any HMAC-SHA256."""
    assert hmac.new(key, message, "sha256").hexdigest() == KeyedHash(key)(message)


def test_times_are_rfc_3339() -> None:
    """Nanoseconds are kept, and the second turns when it does."""
    stamps = Stamps()
    assert "2026-11-23T03:44:36.999999999Z" == stamps(1_795_405_476_999_999_999)
    assert "2026-11-23T03:44:37.000000001Z" == stamps(1_795_405_477_000_000_001)
