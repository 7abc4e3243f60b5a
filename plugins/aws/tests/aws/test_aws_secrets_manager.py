"""What is Secrets Manager's own: options, names, what a probe leaves, and races."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.aws_harness import PATHS, opened, sdk
from tests.servers.moto import Moto
from wardgate.spi.errors import Conflict, InvalidValue, TooLarge
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Expect, Value
from wardgate_aws.names import NAMES
from wardgate_aws.plugin import SECRETS_MANAGER as BACKEND

SECRET = Path.parse("team/database")


@pytest.mark.parametrize(
    "options",
    [
        {"recovery_days": 6},
        {"recovery_days": 31},
        {"endpoint": "http://store.example"},
        {"endpoint": "ftp://127.0.0.1"},
        {"timeout": 0.0},
        {"pool_size": 0},
        {"ca_file": "/nowhere/at/all"},
        {"profile": "two words"},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidValue):
        opened(BACKEND, **options)


@given(PATHS)
def test_a_path_has_one_name_and_comes_back(path: Path) -> None:
    """In the store's alphabet, whatever characters it holds."""
    try:
        name = NAMES.name_of(path)
    except TooLarge:
        return
    assert name.isascii()
    assert not set(name) - set("/_+=.@-") - {letter for letter in name if letter.isalnum()}
    assert path == NAMES.path_of(name)


@given(st.text("ab/_+=.@-0123456789ABCDEF", max_size=40))
def test_a_name_of_somebody_else_s_stands_for_its_path_alone(name: str) -> None:
    """What no path maps to has none, so that two secrets are never taken for one."""
    path = NAMES.path_of(name)
    assert path is None or name == NAMES.name_of(path)


@pytest.mark.server
def test_a_probe_changes_nothing(moto: Moto) -> None:
    """It tells the rights it has, and leaves the right to create open."""
    moto.reset()

    async def asked() -> None:
        backend = opened(BACKEND, moto.endpoint)
        found = {permission.name: permission.granted for permission in await backend.probe()}
        assert found.pop("secretsmanager:CreateSecret") is None
        assert set(found.values()) == {True}
        assert (await backend.list(ROOT)).entries == ()
        await backend.close()

    asyncio.run(asked())


@pytest.mark.server
def test_a_compare_and_set_that_lost_leaves_no_trace(moto: Moto) -> None:
    """One writer of several wins and is current; the private labels are gone."""
    moto.reset()

    async def raced() -> None:
        backend = opened(BACKEND, moto.endpoint)
        first = await backend.write(SECRET, Value(b"1"))
        writers = [backend.write(SECRET, Value(b"2%d" % turn), expect=Expect(first.id)) for turn in range(4)]
        outcomes = await asyncio.gather(*writers, return_exceptions=True)
        won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert len(won) == 1
        assert all(type(outcome) is Conflict for outcome in outcomes if isinstance(outcome, BaseException))
        assert won[0].id == (await backend.read(SECRET)).info.id
        await backend.close()

    asyncio.run(raced())
    described = sdk(moto, "secretsmanager").describe_secret(SecretId=str(SECRET))
    stages = [stage for labels in described["VersionIdsToStages"].values() for stage in labels]
    assert sorted(stages) == ["AWSCURRENT", "AWSPREVIOUS"]


@pytest.mark.server
def test_values_that_are_too_long_are_refused_before_they_are_sent(moto: Moto) -> None:
    """Counted in bytes, whatever the form."""
    moto.reset()

    async def asked() -> None:
        backend = opened(BACKEND, moto.endpoint)
        most = backend.capabilities.max_value_bytes
        for data in (b"x" * (most + 1), "ü".encode() * (most // 2 + 1), b"\xff" * (most + 1)):
            with pytest.raises(TooLarge):
                await backend.write(SECRET, Value(data))
        with pytest.raises(InvalidValue):
            await backend.write(SECRET, Value(b""))
        await backend.close()

    asyncio.run(asked())


@pytest.mark.server
def test_the_stages_are_aws_s_own_labels(moto: Moto) -> None:
    """Told by the SDK itself: what other tools know them by, and nothing of ours beside them."""
    moto.reset()

    async def moved() -> dict[str, list[str]]:
        backend = opened(BACKEND, moto.endpoint)
        first, second, third = [(await backend.write(SECRET, Value(b"%d" % turn))).id for turn in range(3)]
        await backend.move_stage(SECRET, "pending", version=first)
        await backend.move_stage(SECRET, "blue", version=second)
        told = {info.id: info.stages for info in (await backend.describe(SECRET)).versions}
        await backend.close()
        assert told == {first: {"pending"}, second: {"previous", "blue"}, third: {"current"}}
        return {first: ["AWSPENDING"], second: ["AWSPREVIOUS", "blue"], third: ["AWSCURRENT"]}

    expected = asyncio.run(moved())
    described = sdk(moto, "secretsmanager").describe_secret(SecretId=str(SECRET))
    assert {version: sorted(labels) for version, labels in described["VersionIdsToStages"].items()} == expected


@pytest.mark.server
@pytest.mark.parametrize("days", [7, 30])
def test_a_deleted_secret_can_be_recovered_for_the_days_of_the_option(moto: Moto, days: int) -> None:
    """Told by the SDK itself: the emulator gives the end of the window as the day of the deletion."""
    moto.reset()

    async def deleted() -> None:
        backend = opened(BACKEND, moto.endpoint, recovery_days=days)
        await backend.write(SECRET, Value(b"value"))
        await backend.delete(SECRET)
        await backend.close()

    asyncio.run(deleted())
    end = sdk(moto, "secretsmanager").describe_secret(SecretId=str(SECRET))["DeletedDate"]
    left = end - dt.datetime.now(dt.UTC)
    assert round(left / dt.timedelta(days=1)) == days
