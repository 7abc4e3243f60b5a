"""Versions and times, read as the gateway's own; and numbers that the server would round."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.backend import Backend
from wardgate.spi.errors import SecretNotFound
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import JSON, SecretSettings, Value, VersionState
from wardgate_vault.metadata import parse_time, secret_info, version_info, version_number

from tests.servers.openbao import OpenBao

NOON = "2026-01-02T12:00:00"
NOON_NS = int(datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
VERSION: dict[str, Any] = {"created_time": f"{NOON}Z", "deletion_time": "", "destroyed": False}


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(0, 999_999_999))  # noqa: DTZ001  # naive: UTC is added
def test_a_time_keeps_its_nanoseconds(second: datetime, nanoseconds: int) -> None:
    """Go writes up to nine digits and cuts the zeros at the end."""
    second = second.replace(microsecond=0)
    fraction = f".{nanoseconds:09}".rstrip("0").rstrip(".")
    expected = int(second.replace(tzinfo=UTC).timestamp()) * 1_000_000_000 + nanoseconds
    assert expected == parse_time(f"{second.isoformat()}{fraction}Z")


@pytest.mark.parametrize(
    ("text", "expected"), [(f"{NOON}+00:00", NOON_NS), (f"{NOON}.5+01:30", NOON_NS - 5_400 * 10**9 + 500_000_000)]
)
def test_a_time_in_another_zone_is_the_same_time(text: str, expected: int) -> None:
    """A server need not run in UTC."""
    assert expected == parse_time(text)


@pytest.mark.parametrize(
    "text", ["", "now", "2026-01-02", f"{NOON}", "2026-13-02T12:00:00Z", f"{NOON}.Z", f"{NOON}Z\n"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """The answer then counts as not understood."""
    with pytest.raises(ValueError, match=r"not an RFC 3339 time|month must be"):
        parse_time(text)


@pytest.mark.parametrize(
    ("change", "state", "deleted_at", "expires_at"),
    [
        ({}, VersionState.LIVE, None, None),
        ({"deletion_time": f"{NOON}Z"}, VersionState.DELETED, NOON_NS, None),
        ({"deletion_time": "2026-01-02T12:00:01Z"}, VersionState.LIVE, None, NOON_NS + 10**9),
        ({"destroyed": True}, VersionState.DESTROYED, None, None),
        ({"destroyed": True, "deletion_time": f"{NOON}Z"}, VersionState.DESTROYED, NOON_NS, None),
    ],
)
def test_a_version_s_state(change: dict[str, Any], state: VersionState, deleted_at: object, expires_at: object) -> None:
    """A deletion that lies ahead is an end, not a deletion."""
    info = version_info(3, {**VERSION, **change}, now=NOON_NS)
    assert ("3", 3, state, deleted_at, expires_at) == (
        info.id,
        info.ordinal,
        info.state,
        info.deleted_at,
        info.expires_at,
    )


def test_a_secret_whose_own_end_is_switched_off() -> None:
    """A negative duration is how an operator says "never" for one secret."""
    data = {
        "versions": {"10": VERSION, "9": VERSION}, "current_version": 10, "created_time": f"{NOON}Z",
        "updated_time": f"{NOON}Z", "custom_metadata": None, "max_versions": 0, "cas_required": False,
        "delete_version_after": "-1s",
    }  # fmt: skip
    info = secret_info(data, now=NOON_NS)
    assert ["9", "10"] == [version.id for version in info.versions]
    assert (0, {}) == (info.settings.delete_after, info.labels)


@pytest.mark.parametrize(
    ("version", "number"),
    [("1", 1), ("12", 12), ("0", None), ("01", None), ("-1", None), ("", None), ("٣", None), ("1" * 19, None)],
)
def test_only_a_version_s_number_is_one(version: str, number: int | None) -> None:
    """Above all not 0, which the server takes for the newest."""
    assert number == version_number(version)


@pytest.mark.parametrize("text", [b'{"n": 9007199254740993}', b'{"deep": [{"n": -123456789012345678901234567890}]}'])
def test_a_number_that_the_server_would_round_comes_back(
    openbao: OpenBao, opened: Callable[..., Backend], text: bytes
) -> None:
    """It keeps floats; such an object is stored as text, which it does not touch."""
    backend = opened(address=openbao.address, token=openbao.token, mount=openbao.new_mount())
    path = Path.parse("numbers")
    asyncio.run(backend.write(path, Value(text, JSON)))
    assert Value(text, JSON) == asyncio.run(backend.read(path)).value


def test_a_credential_that_sees_values_alone_reads(openbao: OpenBao, opened: Callable[..., Backend]) -> None:
    """What it cannot tell apart, a missing version and a missing secret, is a missing secret."""
    mount = openbao.new_mount()
    _, role_id, secret_id = openbao.new_role(f'path "{mount}/data/*" {{ capabilities = ["create", "read"] }}')
    backend = opened(address=openbao.address, mount=mount, role_id=role_id, secret_id=secret_id)
    path = Path.parse("only/values")
    asyncio.run(backend.write(path, Value(b'{"a":"b"}')))
    assert {"a": "b"} == asyncio.run(backend.read(path, version="1")).value.fields()
    with pytest.raises(SecretNotFound):
        asyncio.run(backend.read(path, version="2"))


def test_labels_are_merged_by_the_server(openbao: OpenBao, opened: Callable[..., Backend]) -> None:
    """One request: what another writer says meanwhile of another label is not lost. A secret is not made by it."""
    backend = opened(address=openbao.address, token=openbao.token, mount=openbao.new_mount())
    path = Path.parse("labels")
    with pytest.raises(SecretNotFound):
        asyncio.run(backend.annotate(path, labels={"a": "1"}, merge=True))
    asyncio.run(backend.annotate(path, labels={"a": "1", "b": "2"}, settings=SecretSettings(max_versions=3)))
    asyncio.run(backend.annotate(path, labels={"a": None, "c": "3"}, merge=True))
    known = asyncio.run(backend.describe(path))
    assert ({"b": "2", "c": "3"}, 3) == (known.labels, known.settings.max_versions)


def test_the_engine_s_own_settings_are_the_root_s(openbao: OpenBao, opened: Callable[..., Backend]) -> None:
    """They hold for every secret that says nothing else; one change leaves the others."""
    mount = openbao.new_mount()
    backend = opened(address=openbao.address, token=openbao.token, mount=mount)
    assert (
        SecretSettings(0, compare_and_set_required=False, delete_after=0)
        == asyncio.run(backend.describe(ROOT)).settings
    )
    asyncio.run(backend.annotate(ROOT, settings=SecretSettings(max_versions=2)))
    asyncio.run(backend.annotate(ROOT, settings=SecretSettings(delete_after=3_600 * 10**9)))
    assert (
        SecretSettings(2, compare_and_set_required=False, delete_after=3_600 * 10**9)
        == asyncio.run(backend.describe(ROOT)).settings
    )
    assert 2 == openbao.call("GET", f"{mount}/config")["data"]["max_versions"]
