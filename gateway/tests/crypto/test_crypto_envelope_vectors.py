"""The published byte layout, replayed from the files a reader of docs/envelope.md would use."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from wardgate.crypto import NamespaceKeyring, envelope
from wardgate.spi.errors import InvalidValue
from wardgate.spi.services import SealedMessage

FOLDER = Path(__file__).parent / "vectors"
Case = dict[str, Any]


def cases(file: str) -> list[Case]:
    found: list[Case] = json.loads((FOLDER / file).read_text())["cases"]
    return found


def named(case: Case) -> str:
    return str(case["name"])


def raw(case: Case, *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(case[name]) for name in names)


def opened(case: Case) -> bytes:
    (kek,) = raw(case, "kek")
    version = case["kek_version"]
    ring = NamespaceKeyring(case["namespace"], {version: kek}, version).scoped(case["store"])
    message = SealedMessage(*raw(case, "wrapped_key", "ciphertext"))
    return ring.open(message, data=[f.encode() for f in case["data"]], key=[f.encode() for f in case["key"]])


@pytest.mark.parametrize("case", cases("seals.json"), ids=named)
def test_sealing_gives_the_published_bytes(case: Case) -> None:
    """The same key and the same randomness give exactly the published bytes."""
    plaintext, data_key, data_salt, wrap_salt, kek = raw(case, "plaintext", "data_key", "data_salt", "wrap_salt", "kek")
    data_aad, wrap_aad, wrapped, ciphertext = raw(case, "data_aad", "wrap_aad", "wrapped_key", "ciphertext")

    sealed = envelope.seal_data(plaintext, data_key=data_key, salt=data_salt, aad=data_aad)
    key = envelope.wrap_key(data_key, kek=kek, kek_version=case["kek_version"], salt=wrap_salt, aad=wrap_aad)

    assert (ciphertext, wrapped) == (sealed, key)


@pytest.mark.parametrize("case", cases("seals.json"), ids=named)
def test_keyring_binds_what_the_layout_says(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring draws data key, data salt and wrap salt in that order, and packs the additional data as published."""
    kek, wrapped, ciphertext, plaintext = raw(case, "kek", "wrapped_key", "ciphertext", "plaintext")
    draws = iter(raw(case, "data_key", "data_salt", "wrap_salt"))
    monkeypatch.setattr(os, "urandom", lambda size: next(draws))
    version = case["kek_version"]
    ring = NamespaceKeyring(case["namespace"], {version: kek}, version).scoped(case["store"])

    message = ring.seal(plaintext, data=[f.encode() for f in case["data"]], key=[f.encode() for f in case["key"]])

    assert SealedMessage(wrapped, ciphertext) == message


@pytest.mark.parametrize("case", cases("seals.json"), ids=named)
def test_published_bytes_open(case: Case) -> None:
    """What was published opens to its plaintext."""
    assert raw(case, "plaintext") == (opened(case),)


@pytest.mark.parametrize("case", cases("refusals.json"), ids=named)
def test_altered_bytes_are_refused(case: Case) -> None:
    """Every alteration is refused, with an error of the closed list that shows none of it."""
    with pytest.raises(InvalidValue) as refused:
        opened(case)
    assert case["ciphertext"] not in f"{refused.value!r}" or not case["ciphertext"]


def test_wrong_commitment_is_refused_before_decryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box whose commitment differs never reaches AES-GCM, so a ciphertext opens under one key at most."""
    case = next(case for case in cases("refusals.json") if case["name"] == "one bit of the ciphertext: commitment")
    data_key, ciphertext, aad = raw(case, "data_key", "ciphertext", "data_aad")

    def never(key: bytes) -> None:
        raise AssertionError("decryption was reached")

    monkeypatch.setattr(envelope, "AESGCM", never)
    with pytest.raises(InvalidValue):
        envelope.open_data(ciphertext, data_key=data_key, aad=aad)
