"""Root key, KEKs and the keyring of a namespace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.crypto.envelope import pack
from wardgate.crypto.keyring import MAX_REMEMBERED
from wardgate.spi.errors import InvalidValue, Sealed
from wardgate.spi.services import Keyring, SealedMessage

KEK = bytes(range(32))
OTHER = bytes(range(1, 33))
DATA = (b"id", b"1", b"text/plain")
PATH = (b"a/b",)
field_lists = st.lists(st.binary(max_size=6), max_size=4).map(tuple)


def ring(store: str = "store", namespace: str = "root") -> NamespaceKeyring:
    return NamespaceKeyring(namespace, {1: KEK}, 1).scoped(store)


def test_it_is_a_keyring() -> None:
    """The plugin interface's protocol is what it implements."""
    keyring: Keyring = ring()
    message = keyring.seal(b"value", data=DATA, key=PATH)
    assert b"value" == keyring.open(message, data=DATA, key=PATH)


@given(plaintext=st.binary(max_size=2_000), data=field_lists, key=field_lists)
def test_what_is_sealed_opens(plaintext: bytes, data: tuple[bytes, ...], key: tuple[bytes, ...]) -> None:
    """Sealing loses nothing, whatever is bound."""
    keyring = ring()
    assert plaintext == keyring.open(keyring.seal(plaintext, data=data, key=key), data=data, key=key)


@given(mine=st.tuples(field_lists, field_lists), theirs=st.tuples(field_lists, field_lists))
def test_other_fields_do_not_open(
    mine: tuple[tuple[bytes, ...], tuple[bytes, ...]], theirs: tuple[tuple[bytes, ...], tuple[bytes, ...]]
) -> None:
    """A message opens with exactly the fields it was sealed with."""
    keyring = ring()
    message = keyring.seal(b"value", data=mine[0], key=mine[1])
    assert b"value" == keyring.open(message, data=mine[0], key=mine[1])  # what it remembers of this must not help
    if mine == theirs:
        assert b"value" == keyring.open(message, data=theirs[0], key=theirs[1])
    else:
        with pytest.raises(InvalidValue):
            keyring.open(message, data=theirs[0], key=theirs[1])


@given(one=field_lists, other=field_lists)
def test_packing_is_injective(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    """No two lists of fields give the same bytes."""
    assert (one == other) == (pack(one) == pack(other))


@given(offset=st.integers(min_value=0), bit=st.integers(0, 7), which=st.integers(0, 1))
def test_any_flipped_bit_is_refused(offset: int, bit: int, which: int) -> None:
    """Of the wrapped key and of the ciphertext, every bit counts."""
    keyring = ring()
    message = keyring.seal(b"a value", data=DATA, key=PATH)
    assert b"a value" == keyring.open(message, data=DATA, key=PATH)  # what it remembers of this must not help
    parts = [bytearray(message.wrapped_key), bytearray(message.ciphertext)]
    parts[which][offset % len(parts[which])] ^= 1 << bit
    with pytest.raises(InvalidValue):
        keyring.open(SealedMessage(bytes(parts[0]), bytes(parts[1])), data=DATA, key=PATH)


@pytest.mark.parametrize(
    "foreign", [ring(store="other"), ring(namespace="other"), NamespaceKeyring("root", {1: KEK}, 1)]
)
def test_another_scope_does_not_open(foreign: NamespaceKeyring) -> None:
    """The same KEK in another store, another namespace or no store opens nothing."""
    message = ring().seal(b"value", data=DATA, key=PATH)
    with pytest.raises(InvalidValue):
        foreign.open(message, data=DATA, key=PATH)


def test_no_key_is_used_twice() -> None:
    """Two seals of one value share no key, no salt and no ciphertext."""
    one, two = (ring().seal(b"value", data=DATA, key=PATH) for _ in range(2))
    assert one.wrapped_key[6:38] != two.wrapped_key[6:38]
    assert one.ciphertext[2:34] != two.ciphertext[2:34]


def test_rewrap_moves_the_path_and_the_key_version() -> None:
    """A rename or a newer KEK re-wraps the data key, and leaves the ciphertext as it was."""
    old = NamespaceKeyring("root", {1: KEK}, 1)
    both = NamespaceKeyring("root", {1: KEK, 2: OTHER}, 2)
    new = NamespaceKeyring("root", {2: OTHER}, 2)
    sealed = old.seal(b"value", data=DATA, key=PATH)

    moved = both.rewrap(sealed, data=DATA, key=PATH, new_key=(b"c/d",))

    assert sealed.ciphertext == moved.ciphertext
    assert b"value" == new.open(moved, data=DATA, key=(b"c/d",))
    with pytest.raises(InvalidValue):
        both.open(moved, data=DATA, key=PATH)


def test_a_missing_key_version_says_so() -> None:
    """A wrapped key under a KEK that is gone names its version, rather than that it was changed."""
    message = NamespaceKeyring("root", {1: KEK}, 1).seal(b"value", data=DATA, key=PATH)
    with pytest.raises(InvalidValue, match="key version 1"):
        NamespaceKeyring("root", {2: OTHER}, 2).open(message, data=DATA, key=PATH)


@given(one=field_lists, other=field_lists)
def test_a_mac_vouches_for_its_fields_alone(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    """``verify`` is true for the fields that were vouched for, and no others."""
    keyring = ring()
    assert (one == other) == keyring.verify("head", other, keyring.mac("head", one))


def test_purposes_stores_and_namespaces_have_their_own_mac_keys() -> None:
    """A MAC made for one purpose, store or namespace vouches for nothing elsewhere."""
    mac = ring().mac("head", DATA)
    assert 32 == len(mac)
    assert not ring().verify("tail", DATA, mac)
    assert not ring(store="other").verify("head", DATA, mac)
    assert not ring(namespace="other").verify("head", DATA, mac)
    assert not ring().verify("head", DATA, mac[:-1])


def test_a_mac_outlives_a_new_key_version() -> None:
    """MACs under an older KEK that is still held verify; new ones are made under the current."""
    old = NamespaceKeyring("root", {1: KEK}, 1)
    both = NamespaceKeyring("root", {1: KEK, 2: OTHER}, 2)
    assert both.verify("head", DATA, old.mac("head", DATA))
    assert NamespaceKeyring("root", {2: OTHER}, 2).verify("head", DATA, both.mac("head", DATA))
    assert not old.verify("head", DATA, both.mac("head", DATA))


def test_a_kek_is_bound_to_its_namespace_and_version() -> None:
    """A wrapped KEK moved to another namespace or version is refused; another root key opens none."""
    root = RootKey.generate()
    wrapped = root.wrap_kek("team", 2, KEK)
    assert KEK == root.unwrap_kek("team", 2, wrapped)
    for key, namespace, version in ((root, "root", 2), (root, "team", 1), (RootKey.generate(), "team", 2)):
        with pytest.raises(InvalidValue):
            key.unwrap_kek(namespace, version, wrapped)


def test_derived_keys_differ_by_purpose() -> None:
    """One root key gives unrelated keys, the same ones each time."""
    root = RootKey(KEK)
    assert root.derive("token-lookup") == RootKey(KEK).derive("token-lookup")
    assert 3 == len({root.derive("token-lookup"), root.derive("audit"), RootKey(OTHER).derive("audit")})


def test_no_key_shows() -> None:
    """Neither ``repr`` nor an error shows a key."""
    shown = f"{RootKey(KEK)!r} {ring()!r} {ring().seal(b'value', data=DATA, key=PATH)!r}"
    assert KEK.hex() not in shown
    assert repr(KEK) not in shown


def test_wiped_keys_are_gone() -> None:
    """After ``wipe`` nothing opens, and the bytes are zero."""
    root = RootKey(KEK)
    root.wipe()
    assert bytes(32) == root.exposed()
    keyring = ring()
    message = keyring.seal(b"value", data=DATA, key=PATH)
    keyring.wipe()
    with pytest.raises(Sealed):
        keyring.open(message, data=DATA, key=PATH)
    with pytest.raises(Sealed):
        keyring.mac("head", DATA)


def test_a_wiped_keyring_opens_nothing_it_opened_before() -> None:
    """What it remembered goes with its keys."""
    keyring = ring()
    message = keyring.seal(b"value", data=DATA, key=PATH)
    assert b"value" == keyring.open(message, data=DATA, key=PATH)
    keyring.wipe()
    with pytest.raises(Sealed):
        keyring.open(message, data=DATA, key=PATH)


def test_what_a_keyring_remembers_is_bounded() -> None:
    """The oldest is forgotten first, and opens all the same."""
    keyring = ring()
    messages = [keyring.seal(b"%d" % number, data=DATA, key=PATH) for number in range(MAX_REMEMBERED + 5)]
    assert [b"%d" % number for number in range(len(messages))] == [
        keyring.open(message, data=DATA, key=PATH) for message in messages
    ]
    assert MAX_REMEMBERED == len(keyring._ciphers)
    assert b"0" == keyring.open(messages[0], data=DATA, key=PATH)
