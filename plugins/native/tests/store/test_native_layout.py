"""The rows against docs/envelope.md: opened with that page and a KEK, and without this program's code."""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Value

if TYPE_CHECKING:
    from tests.store.conftest import Bench

KEK = bytes(range(32))


def fields(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """One block of RFC 5869 with SHA-512, by hand."""
    extracted = hmac.digest(salt, key, "sha512")
    return hmac.digest(extracted, info + b"\x01", "sha512")


def open_box(key: bytes, box: bytes, info: bytes, aad: bytes) -> bytes:
    derived = hkdf(key, box[:32], info)
    assert box[32:64] == derived[32:]
    return AESGCM(derived[:32]).decrypt(bytes(12), box[64:], aad)


def test_a_value_opens_with_the_page_alone(bench: Bench, store: Backend) -> None:
    """From the KEK to the wrapped data key to the value, by the published layout."""
    asyncio.run(store.write(Path.parse("team/db"), Value(b'{"a": 1}', JSON)))
    ((head, media_type, wrapped, sealed),) = bench.sql(
        "SELECT s.head, v.media_type, v.wrapped_key, v.ciphertext FROM native_secrets s JOIN native_versions v"
    )
    secret_id = msgspec.msgpack.decode(head)[0].encode()
    data = fields(secret_id, b"1", media_type.encode())
    scope = (b"mount-1", b"root", data)

    wrap_aad = fields(b"\x01\x01", wrapped[2:6], *scope, fields(b"team/db"))
    data_key = open_box(KEK, wrapped[6:], b"wardgate/1/wrap", wrap_aad)
    value = open_box(data_key, sealed[2:], b"wardgate/1/data", fields(b"\x01\x01", *scope))

    assert (b"\x01\x01\x00\x00\x00\x01", b"\x01\x01") == (wrapped[:6], sealed[:2])
    assert b'{"a": 1}' == value


def test_a_head_is_under_the_published_mac(bench: Bench, store: Backend) -> None:
    """The MAC binds store, place and head."""
    asyncio.run(store.annotate(Path.parse("team/db"), labels={"owner": "me"}))
    ((place, head, mac),) = bench.sql("SELECT place, head, mac FROM native_secrets")
    key = hkdf(KEK, bytes(32), fields(b"wardgate/1/mac", b"mount-1", b"root", b"native head 1"))[:32]
    assert b"team\x00db" == place
    assert mac == hmac.digest(key, fields(b"mount-1", place, head), "sha256")


def test_a_read_is_one_query(bench: Bench, store: Backend) -> None:
    """Head, version, wrapped key and ciphertext come together, by two index look-ups."""
    asyncio.run(store.write(Path.parse("team/db"), Value(b"x")))
    asyncio.run(store.read(Path.parse("team/db")))
    asked: list[str] = []
    with bench.database.reading() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(asked.append)  # type: ignore[union-attr]
    asyncio.run(store.read(Path.parse("team/db")))
    driver.set_trace_callback(None)  # type: ignore[union-attr]
    (statement,) = asked
    plan = [str(row[3]) for row in bench.sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert all(step.startswith("SEARCH ") for step in plan), plan
