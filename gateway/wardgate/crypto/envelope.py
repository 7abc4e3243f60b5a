"""The envelope: how bytes are sealed. Pure functions; keys and randomness are passed in.

One construction serves twice. A *box* seals bytes under a 32-byte key that came from a random source::

    derived  = HKDF-SHA512(key, salt = 32 random bytes, info, 64 bytes)
    key_enc  = derived[:32]         used for this box alone, so the nonce can stay zero
    commit   = derived[32:]         stored; compared in constant time before anything is decrypted
    body     = AES-256-GCM(key_enc, nonce = 12 zero bytes, plaintext, aad)

Layout, format 1, suite 1; all integers big-endian::

    sealed data (a version's ciphertext)         wrapped key (its data key, under a KEK)
     0   1  format = 1                            0   1  format = 1
     1   1  suite  = 1                            1   1  suite  = 1
     2  32  salt                                  2   4  version of the KEK
    34  32  commit                                6  32  salt
    66   n  ciphertext, as long as the plaintext 38  32  commit
     …  16  tag                                  70  32  ciphertext of the data key
                                                102  16  tag

``info`` is ``wardgate/1/data`` for data and ``wardgate/1/wrap`` for wrapped keys. The additional data is a list of
fields, each as its length in 4 bytes and then its bytes::

    data:         0x01 0x01 | store id | namespace id | fields(data)
    wrapped key:  0x01 0x01 | KEK version, 4 bytes | store id | namespace id | fields(data) | fields(key)

where ``fields(…)`` is such a list again, of what the caller binds. The native store binds secret id, version and media
type as ``data``, and the path as ``key``.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from wardgate.spi.errors import InvalidValue

KEY_BYTES = 32
SALT_BYTES = 32
HEADER = b"\x01\x01"
WRAPPED_BYTES = 118

_COMMIT_BYTES = 32
_TAG_BYTES = 16
_BODY = SALT_BYTES + _COMMIT_BYTES
_NONCE = bytes(12)
_SHA512 = SHA512()
_DATA_INFO = b"wardgate/1/data"
_WRAP_INFO = b"wardgate/1/wrap"


def _broken() -> InvalidValue:
    return InvalidValue("the sealed bytes do not open: they, or what they are bound to, were changed or moved")


def pack(fields: Sequence[bytes]) -> bytes:
    """A list of fields as bytes, each with its length before it, so that no two lists give the same bytes."""
    # Adding to a short one is twice as fast as joining a list, and this is on the way of every read.
    packed = b""
    for field in fields:
        packed += len(field).to_bytes(4, "big") + field
    return packed


def hkdf(key: bytes | bytearray, *, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA512 (RFC 5869)."""
    return HKDF(_SHA512, length, salt, info).derive(key)


def _lock(key: bytes | bytearray, salt: bytes, info: bytes, aad: bytes, plaintext: bytes) -> bytes:
    if len(salt) != SALT_BYTES or len(key) != KEY_BYTES:
        raise ValueError("a box needs a key and a salt of 32 bytes")
    derived = hkdf(key, salt=salt, info=info, length=KEY_BYTES + _COMMIT_BYTES)
    return salt + derived[KEY_BYTES:] + AESGCM(derived[:KEY_BYTES]).encrypt(_NONCE, plaintext, aad)


def _cipher(key: bytes | bytearray, box: bytes, info: bytes) -> AESGCM:
    """The cipher of a box, once its commitment proves that it was locked with this key."""
    if len(box) < _BODY + _TAG_BYTES:
        raise _broken()
    derived = HKDF(_SHA512, KEY_BYTES + _COMMIT_BYTES, box[:SALT_BYTES], info).derive(key)
    if not hmac.compare_digest(derived[KEY_BYTES:], box[SALT_BYTES:_BODY]):
        raise _broken()
    return AESGCM(derived[:KEY_BYTES])


def _unlock(key: bytes | bytearray, box: bytes, info: bytes, aad: bytes) -> bytes:
    try:
        return _cipher(key, box, info).decrypt(_NONCE, box[_BODY:], aad)
    except InvalidTag:
        raise _broken() from None


def seal_data(plaintext: bytes, *, data_key: bytes, salt: bytes, aad: bytes) -> bytes:
    """Seal one version's bytes. ``data_key`` is fresh for each call, ``salt`` 32 random bytes, ``aad`` packed."""
    return HEADER + _lock(data_key, salt, _DATA_INFO, aad, plaintext)


def data_cipher(sealed: bytes, *, data_key: bytes) -> AESGCM:
    """The cipher that opens what :func:`seal_data` sealed; it depends on :func:`prefix_of` that and the key alone.

    Raises:
        InvalidValue: it was not sealed with this key.
    """
    if sealed[:2] != HEADER:
        raise _broken()
    return _cipher(data_key, sealed[2:], _DATA_INFO)


def prefix_of(sealed: bytes) -> bytes:
    """What of a sealed message its cipher depends on: the header, the salt and the commitment."""
    return sealed[: 2 + _BODY]


def open_with(cipher: AESGCM, sealed: bytes, *, aad: bytes) -> bytes:
    """Open a message with its cipher. Raises InvalidValue when a byte of it or ``aad`` differs."""
    try:
        return cipher.decrypt(_NONCE, sealed[2 + _BODY :], aad)
    except InvalidTag:
        raise _broken() from None


def open_data(sealed: bytes, *, data_key: bytes, aad: bytes) -> bytes:
    """Open what :func:`seal_data` sealed. Raises InvalidValue when a byte of it, the key or ``aad`` differs."""
    return open_with(data_cipher(sealed, data_key=data_key), sealed, aad=aad)


def wrap_key(data_key: bytes, *, kek: bytes | bytearray, kek_version: int, salt: bytes, aad: bytes) -> bytes:
    """Wrap a 32-byte key under a KEK: 118 bytes that name the KEK's version (0 to 2**32 - 1)."""
    if len(data_key) != KEY_BYTES:
        raise ValueError("only keys of 32 bytes are wrapped")
    return HEADER + kek_version.to_bytes(4, "big") + _lock(kek, salt, _WRAP_INFO, aad, data_key)


def unwrap_key(wrapped: bytes, *, kek: bytes | bytearray, kek_version: int, aad: bytes) -> bytes:
    """Unwrap what :func:`wrap_key` wrapped. Raises InvalidValue when a byte of it or any argument differs."""
    if len(wrapped) != WRAPPED_BYTES or wrapped[:6] != HEADER + kek_version.to_bytes(4, "big"):
        raise _broken()
    return _unlock(kek, wrapped[6:], _WRAP_INFO, aad)


def named_version(wrapped: bytes) -> int:
    """The version of the KEK a wrapped key names. Raises InvalidValue when it is no wrapped key."""
    if len(wrapped) != WRAPPED_BYTES or wrapped[:2] != HEADER:
        raise _broken()
    return int.from_bytes(wrapped[2:6], "big")
