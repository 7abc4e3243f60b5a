"""The keys: the root key, the KEKs of a namespace under it, and the keyring that seals with them."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wardgate.crypto import envelope
from wardgate.crypto.envelope import HEADER, KEY_BYTES, SALT_BYTES, pack
from wardgate.spi.errors import InvalidValue, Sealed
from wardgate.spi.services import Fields, SealedMessage

_DERIVE_INFO = b"wardgate/1/derive"
_MAC_INFO = b"wardgate/1/mac"
_KEK_FIELD = b"kek"
_NO_SALT = bytes(SALT_BYTES)
MAX_REMEMBERED = 2_048
"""Ciphers of messages that were opened, remembered by one keyring; the oldest is forgotten first."""


class RootKey:
    """The key everything else hangs on: 32 bytes, held in memory that :meth:`wipe` zeroes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes | bytearray) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a root key has 32 bytes")
        self._key = bytearray(key)

    @classmethod
    def generate(cls) -> RootKey:
        """A fresh one."""
        return cls(os.urandom(KEY_BYTES))

    def __repr__(self) -> str:
        return "RootKey()"

    def exposed(self) -> bytes:
        """The key itself, for a seal to wrap; nobody else needs it."""
        return bytes(self._key)

    def derive(self, purpose: str) -> bytes:
        """32 bytes that only this key and this purpose give."""
        info = pack((_DERIVE_INFO, purpose.encode()))
        return envelope.hkdf(self._key, salt=_NO_SALT, info=info, length=KEY_BYTES)

    @staticmethod
    def new_kek() -> bytes:
        """A fresh key for a namespace."""
        return os.urandom(KEY_BYTES)

    def wrap_kek(self, namespace: str, version: int, kek: bytes) -> bytes:
        """Wrap a namespace's key: 118 bytes, bound to the namespace's id and the version."""
        aad = _kek_aad(namespace, version)
        return envelope.wrap_key(kek, kek=self._key, kek_version=version, salt=os.urandom(SALT_BYTES), aad=aad)

    def unwrap_kek(self, namespace: str, version: int, wrapped: bytes) -> bytes:
        """Unwrap it. Raises InvalidValue when it was changed, or is another namespace's or version's."""
        return envelope.unwrap_key(wrapped, kek=self._key, kek_version=version, aad=_kek_aad(namespace, version))

    def wipe(self) -> None:
        """Zero the key; the object is of no use after."""
        self._key[:] = bytes(KEY_BYTES)


def _nested(fields: Fields) -> bytes:
    """A list of fields as one field: ``pack((pack(fields),))``."""
    packed = pack(fields)
    return len(packed).to_bytes(4, "big") + packed


def _kek_aad(namespace: str, version: int) -> bytes:
    return pack((HEADER, version.to_bytes(4, "big"), _KEK_FIELD, namespace.encode()))


class NamespaceKeyring:
    """Implements :class:`wardgate.spi.services.Keyring` for one namespace, and for one store once scoped.

    ``keks``: version (from 1) to key; ``current`` seals and vouches, every one of them opens and verifies.
    """

    __slots__ = ("_ciphers", "_codes", "_current", "_keks", "_namespace", "_scope", "_store", "_wrap_scopes")

    def __init__(self, namespace: str, keks: Mapping[int, bytes | bytearray], current: int, *, store: str = "") -> None:
        if current not in keks:
            raise Sealed(f"namespace {namespace} has no key of version {current}")
        self._namespace = namespace
        self._store = store
        self._keks = {version: bytearray(kek) for version, kek in keks.items()}
        self._current = current
        # The current key comes first: it is the one that nearly always verifies.
        self._codes: dict[str, tuple[hmac.HMAC, ...]] = {}
        # Deriving a message's cipher takes two HKDFs and an unwrapping; it depends on exactly what is its key here.
        self._ciphers: dict[tuple[bytes, bytes, tuple[bytes, ...], bytes], AESGCM] = {}
        self._scope = pack((HEADER, store.encode(), namespace.encode()))
        self._wrap_scopes = {
            version: pack((HEADER, version.to_bytes(4, "big"), store.encode(), namespace.encode())) for version in keks
        }

    def __repr__(self) -> str:
        return f"NamespaceKeyring({self._namespace!r}, store={self._store!r})"

    def scoped(self, store: str) -> NamespaceKeyring:
        """The same keys, with everything bound to this store's (mount's) id as well."""
        return NamespaceKeyring(self._namespace, self._keks, self._current, store=store)

    def seal(self, plaintext: bytes, *, data: Fields, key: Fields) -> SealedMessage:
        """Encrypt under a fresh data key, and wrap that under the current KEK."""
        data_key = os.urandom(KEY_BYTES)
        bound = _nested(data)
        aad = self._scope + bound
        ciphertext = envelope.seal_data(plaintext, data_key=data_key, salt=os.urandom(SALT_BYTES), aad=aad)
        return SealedMessage(self._wrap(data_key, bound, key), ciphertext)

    def open(self, message: SealedMessage, *, data: Fields, key: Fields) -> bytes:
        """Decrypt. Raises InvalidValue when anything was changed or moved, or its KEK was destroyed."""
        bound = _nested(data)
        ciphertext = message.ciphertext
        known = (message.wrapped_key, bound, tuple(key), envelope.prefix_of(ciphertext))
        cipher = self._ciphers.get(known)
        if cipher is None:
            data_key = self._unwrap(message.wrapped_key, bound, key)
            cipher = envelope.data_cipher(ciphertext, data_key=data_key)
            if len(self._ciphers) >= MAX_REMEMBERED:
                del self._ciphers[next(iter(self._ciphers))]
            self._ciphers[known] = cipher
        return envelope.open_with(cipher, ciphertext, aad=self._scope + bound)

    def rewrap(self, message: SealedMessage, *, data: Fields, key: Fields, new_key: Fields) -> SealedMessage:
        """The same ciphertext, its data key wrapped anew under the current KEK and bound to ``new_key``."""
        bound = _nested(data)
        data_key = self._unwrap(message.wrapped_key, bound, key)
        return SealedMessage(self._wrap(data_key, bound, new_key), message.ciphertext)

    def mac(self, purpose: str, fields: Fields) -> bytes:
        """HMAC-SHA256 under a key for this namespace, store and purpose, derived from the current KEK."""
        return _finished(self._codes_for(purpose)[0], pack(fields))

    def verify(self, purpose: str, fields: Fields, mac: bytes) -> bool:
        """Whether ``mac`` vouches for exactly these fields, under the current KEK or an older one still held."""
        message = pack(fields)
        for code in self._codes_for(purpose):  # noqa: SIM110  # a generator would cost as much as the code
            if hmac.compare_digest(_finished(code, message), mac):
                return True
        return False

    def wipe(self) -> None:
        """Zero the KEKs and forget what was derived from them."""
        for kek in self._keks.values():
            kek[:] = bytes(KEY_BYTES)
        self._keks.clear()
        self._codes.clear()
        self._ciphers.clear()

    def _wrap(self, data_key: bytes, bound: bytes, key: Fields) -> bytes:
        version = self._current
        aad = self._wrap_scopes[version] + bound + _nested(key)
        return envelope.wrap_key(
            data_key, kek=self._kek(version), kek_version=version, salt=os.urandom(SALT_BYTES), aad=aad
        )

    def _unwrap(self, wrapped: bytes, bound: bytes, key: Fields) -> bytes:
        version = envelope.named_version(wrapped)
        kek = self._kek(version)
        aad = self._wrap_scopes[version] + bound + _nested(key)
        return envelope.unwrap_key(wrapped, kek=kek, kek_version=version, aad=aad)

    def _kek(self, version: int) -> bytearray:
        try:
            return self._keks[version]
        except KeyError:
            if not self._keks:
                raise Sealed("the keys of this namespace are not at hand") from None
            raise InvalidValue(f"this was sealed by key version {version}, which is not held any more") from None

    def _codes_for(self, purpose: str) -> tuple[hmac.HMAC, ...]:
        codes = self._codes.get(purpose)
        if codes is None:
            info = pack((_MAC_INFO, self._store.encode(), self._namespace.encode(), purpose.encode()))
            versions = sorted(self._keks or [self._current], key=lambda version: (version != self._current, -version))
            keys = [
                envelope.hkdf(self._kek(version), salt=_NO_SALT, info=info, length=KEY_BYTES) for version in versions
            ]
            codes = self._codes[purpose] = tuple(hmac.new(key, digestmod="sha256") for key in keys)
        return codes


def _finished(code: hmac.HMAC, message: bytes) -> bytes:
    """The code of a message. Copying a keyed one costs a third of starting anew, and each read pays it."""
    code = code.copy()
    code.update(message)
    return code.digest()
