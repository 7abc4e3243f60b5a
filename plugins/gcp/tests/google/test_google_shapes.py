"""Names, labels, options and the table of rights."""

from __future__ import annotations

import asyncio
import re
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.backend import Permission
from wardgate.spi.errors import InvalidValue, Malformed, PermissionDenied, SecretNotFound, TooLarge
from wardgate.spi.options import parse
from wardgate.spi.path import Path
from wardgate_gcp import shapes
from wardgate_gcp.calls import NAMES
from wardgate_gcp.crc32c import crc32c
from wardgate_gcp.errors import NOT_ACCEPTED
from wardgate_gcp.options import Options, check, target
from wardgate_gcp.probing import NEEDED, permissions

SEGMENT = st.text(st.sampled_from("ab-_xX2DF.é/ 😀"), min_size=1, max_size=8)
LABEL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)


@given(st.lists(SEGMENT, min_size=1, max_size=4), st.lists(SEGMENT, min_size=1, max_size=4))
def test_two_paths_never_share_a_name(one: list[str], other: list[str]) -> None:
    """A name is one that the service takes, leads back to its path, and to no other."""
    names = []
    for segments in (one, other):
        try:
            path = Path.parse("/".join(segments))
        except Malformed:
            return
        names.append(NAMES.name_of(path))
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", names[-1])
        assert path == NAMES.path_of(names[-1])
    assert (names[0] == names[1]) == ("/".join(one) == "/".join(other))


@given(st.text("ab-_x2DF", min_size=1, max_size=12))
def test_a_name_of_others_is_a_path_or_none(name: str) -> None:
    """What has a path is found under it."""
    path = NAMES.path_of(name)
    assert path is None or name == NAMES.name_of(path)


@given(st.dictionaries(LABEL, LABEL, max_size=4))
def test_labels_come_back(labels: dict[str, str]) -> None:
    """Under any name; and their keys are what the service takes."""
    held = shapes.to_annotations(labels)
    assert labels == shapes.to_labels(held)
    assert all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key) for key in held)


@pytest.mark.parametrize("key", ["owner", "wg32-", "wg32-mfr", "wg32-!", "wg32-mzxw6"])
def test_annotations_of_others_are_shown(key: str) -> None:
    """Also those that only look escaped."""
    assert len(shapes.to_labels({key: "x"})) == 1


def test_labels_are_bounded() -> None:
    """As the service bounds annotations, before it has to."""
    with pytest.raises(InvalidValue):
        shapes.to_annotations({"é" * 19: "x"})
    with pytest.raises(TooLarge):
        shapes.to_annotations({"key": "x" * 16_382})


@pytest.mark.parametrize("stage", ["", "1st", "latest", "NEW", "a b", "x" * 64, "é"])
def test_a_stage_that_is_no_alias_is_refused(stage: str) -> None:
    """Before the service has to."""
    with pytest.raises(InvalidValue):
        shapes.stage_alias(stage)


def test_the_checksum_is_the_published_one() -> None:
    """RFC 3720's vectors; and not the other CRC-32."""
    assert crc32c(b"") == 0
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(b"123456789") != zlib.crc32(b"123456789")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ("secretmanager.googleapis.com:443", True)),
        ({"location": "europe-west3"}, ("secretmanager.europe-west3.rep.googleapis.com:443", True)),
        ({"endpoint": "http://127.0.0.1:9090"}, ("127.0.0.1:9090", False)),
        ({"endpoint": "http://[::1]:9090"}, ("[::1]:9090", False)),
        ({"endpoint": "https://sm.example"}, ("sm.example:443", True)),
    ],
)
def test_where_the_service_is(given: dict[str, Any], found: tuple[str, bool]) -> None:
    """Global, regional, or where it is told."""
    options = parse(Options, {"project": "p", **given}, of="mount g/")
    check(options)
    assert found == target(options)


@pytest.mark.parametrize(
    "given",
    [
        {"endpoint": "http://sm.example"},
        {"endpoint": "http://127.0.0.1.example"},
        {"endpoint": "sm.example:443"},
        {"endpoint": "https://user@sm.example"},
        {"endpoint": "https://sm.example/v1"},
        {"endpoint": "https://sm.example:x"},
        {"project": ""},
        {"project": "a/secrets/b"},
        {"location": "../x"},
        {"credentials_file": "/no/such/file"},
        {"ca_file": "/no/such/file"},
        {"timeout": 0.0},
    ],
)
def test_options_that_cannot_work_are_refused(given: dict[str, Any]) -> None:
    """By name and without their value."""
    with pytest.raises(InvalidValue) as refused:
        check(parse(Options, {"project": "p", **given}, of="mount g/"))
    assert next(iter(given)) in str(refused.value)


class Asked:
    """Stands for a client: denies these calls."""

    def __init__(self, *denied: str, message: str = "") -> None:
        self._denied = denied
        self._message = message

    async def ask(self, call: str, request: dict[str, Any], *, mutates: bool = False) -> None:
        if call in self._denied:
            raise PermissionDenied(self._message)
        if call != "list_secrets":
            assert "wardgate-probe-" in str(request)
            raise SecretNotFound


def probed(client: Any) -> dict[str, Permission]:
    return {told.name: told for told in asyncio.run(permissions(client, "projects/p"))}


def test_a_probe_tells_each_right() -> None:
    """What is denied, what is granted, and the one that cannot be asked without a change."""
    told = probed(Asked("add_secret_version", "list_secrets"))
    assert {name for name, right in told.items() if right.granted is False} == {
        "secretmanager.versions.add",
        "secretmanager.secrets.list",
    }
    assert [name for name, right in told.items() if right.granted is None] == ["secretmanager.secrets.create"]
    assert len(NEEDED) + 1 == len(told)


def test_a_credential_that_is_not_accepted_has_no_rights_to_tell() -> None:
    """It is refused as a whole."""
    with pytest.raises(PermissionDenied):
        probed(Asked("get_secret", message=NOT_ACCEPTED))
