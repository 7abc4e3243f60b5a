"""Several operations in one request: what becomes of one is nothing to the others."""

from __future__ import annotations

import asyncio

import pytest
from tests.dispatch.test_dispatch import Room
from wardgate.context import Context, Decision
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.frontend import Arrival
from wardgate.spi.operations.secrets import WriteSecret, WriteSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Value, VersionInfo


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.parametrize("begun", [False, True])
def test_a_defect_in_one_item_of_a_batch_is_that_item_s_alone(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    """The others' changes are answered for; it is unknown whether that one was made, and the log names the place."""
    paths = [Path.parse(f"odd/{name}") for name in ("a", "broken", "c", "broken", "e")]
    batch = WriteSecrets(items=tuple(WriteSecret(path=path, value=Value(b"x")) for path in paths))
    context = Context(Arrival("r", 0, room.clock.monotonic() + 5, "127.0.0.1"), batch, None, "root")
    context.decisions = (Decision("app", 1),) * len(paths)
    context.begun = begun
    real = room.ledger.ordinal

    async def ordinal(mount: str, path: str, version: str) -> int:
        if path == "broken":
            raise KeyError("canary")
        return await real(mount, path, version)

    monkeypatch.setattr(room.ledger, "ordinal", ordinal)
    results = asyncio.run(room.dispatch(context)).result
    failed = OutcomeUnknown if begun else Unavailable
    assert [VersionInfo, failed, VersionInfo, failed, VersionInfo] == [type(result) for result in results]
    assert {id(result) for result in results if isinstance(result, failed)} == {id(one) for one in context.defects}
    assert ["request_failed"] == [vars(record)["event"] for record in caplog.records]
    assert "canary" not in caplog.text
