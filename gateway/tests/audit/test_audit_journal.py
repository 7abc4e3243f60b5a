"""The journal: what records say, what they never say, and that they share syncs."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.pipeline.audit import Journal, verify
from wardgate.pipeline.audit.sink import Disk
from wardgate.spi.errors import Malformed, Unavailable
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.approle import DestroySecretId, Login
from wardgate.spi.operations.base import Action, Rejected
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.labels import ChangeLabels
from wardgate.spi.operations.mounts import CreateMount
from wardgate.spi.operations.policies import ExplainPolicy
from wardgate.spi.operations.secrets import (
    AnnotateSecret,
    DeleteSecret,
    MoveStage,
    Ordinal,
    ReadSecret,
    Stage,
    VersionId,
)
from wardgate.spi.operations.tokens import CreateToken, LookupAccessor, RevokeAccessor
from wardgate.spi.operations.wrapping import Wrapped
from wardgate.spi.path import Path

from tests.support.audit_settings import kept

PLACE = Path(("a",))


class CountingDisk(Disk):
    """Counts syncs, and lets the first one take its time."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        super().sync(descriptor)


def test_a_read_is_one_record(audited: Any) -> None:
    """Who, what, where, from where, how it ended, and which rule allowed it."""
    context = audited.context(ReadSecret(path=audited.path, version=Ordinal(3)))

    async def work(journal: Journal) -> None:
        await journal.closing(context, "ok", audited.answer)

    asyncio.run(audited.run(work))
    first, boot, record = audited.lines()
    assert ("file", "boot") == (first["kind"], boot["kind"])
    assert boot["previous"] == first["hash"]
    known = {name: record[name] for name in ("principal", "name", "accessor", "method", "operation", "action", "path")}
    assert {
        "principal": "p-1", "name": "billing", "accessor": "accessor-1", "method": "key", "operation": "ReadSecret",
        "action": "read", "path": "secret/team/db",
    } == known  # fmt: skip
    assert ("closing", "request-1", "root", "192.0.2.1") == tuple(
        record[name] for name in ("kind", "request", "namespace", "source")
    )
    assert ("ok", "app", 2, {"version": "3"}) == tuple(record[name] for name in ("code", "policy", "rule", "details"))
    assert "pair" not in record


def test_a_change_is_a_pair(audited: Any) -> None:
    """The request record stands before the change, and both carry the id that the store commits."""
    context = audited.write()

    async def work(journal: Journal) -> None:
        pair = await journal.request(context)
        assert [("request", pair, None)] == [(r["kind"], r["pair"], r.get("code")) for r in audited.lines()[2:]]
        await journal.closing(context, "conflict")

    asyncio.run(audited.run(work))
    opened, closed = audited.lines()[2:]
    assert ("closing", "conflict", opened["pair"]) == (closed["kind"], closed["code"], closed["pair"])
    assert opened["value"] == _value_of_read(audited)
    assert () == verify(audited.folder).shards[0].open


def _value_of_read(audited: Any) -> str:
    """The HMAC that a read of the same bytes shows: who holds the key can tell which value was read."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok", audited.answer)

    asyncio.run(audited.run(work))
    value: str = audited.lines()[-1]["value"]
    return value


def test_no_value_token_label_option_or_field_name_is_ever_written(audited: Any) -> None:
    """Canaries in everything a caller can hand over; none is in any file of the folder."""
    canary = "canary"
    operations = [
        audited.write().operation,
        ReadSecret(path=audited.path),
        ReadSecret(path=Path(("auth", "token", audited.token))),
        AnnotateSecret(path=audited.path, labels={f"{canary}-label": f"{canary}-text"}),
        CreateMount(path=Path(("sys", "mounts", "m")), type="vault", options={f"{canary}-option": f"{canary}-secret"}),
        Login(role_id=f"{canary}-role", secret_id=f"{canary}-secret"),
        Rejected(error=Malformed(f"{canary} in an error")),
    ]

    async def work(journal: Journal) -> None:
        for operation in operations:
            for known in (True, False):
                context = audited.context(operation, known=known)
                if operation.mutates:
                    await journal.request(context)
                await journal.closing(context, "ok", audited.answer)

    asyncio.run(audited.run(work))
    assert 2 * (4 * 2 + 3) == len([record for record in audited.lines() if record["kind"] in {"request", "closing"}])
    for file in audited.folder.iterdir():
        assert b"canary" not in file.read_bytes()


@pytest.mark.parametrize(
    ("operation", "details"),
    [
        (DeleteSecret(path=Path(("a",)), versions=(Ordinal(1), Stage("previous"))), {"versions": "1, stage previous"}),
        (ReadSecret(path=Path(("a",)), version=VersionId("x" * 400)), {"version": "id " + "x" * 253}),
        (ReadSecret(path=Path(("a",)), version=VersionId("a\ud800b")), {"version": "id a\\ud800b"}),
        (CreateKey(key_name="ci", policies=("a", "b")), {"key_name": "ci", "policies": "a, b"}),
        (CreateMount(path=Path(("sys", "mounts", "m")), type="vault", options={"token": "x"}), {"type": "vault"}),
    ],
)
def test_details_are_allow_listed_and_bounded(audited: Any, operation: Any, details: dict[str, str]) -> None:
    """Each operation shows its own few facts, at most 256 characters each."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(operation), "ok")

    asyncio.run(audited.run(work))
    assert details == audited.lines()[-1]["details"]


@pytest.mark.parametrize(
    "made",
    [
        lambda token: CreateKey(key_name=f"key of {token}", policies=("a", token)),
        lambda token: CreateToken(display_name=token, policies=("x" * 240, token)),
        lambda token: MoveStage(path=PLACE, stage=token, version=VersionId(token)),
        lambda token: ChangeLabels(path=PLACE, changes={token: "x"}),
        lambda token: LookupAccessor(accessor=token),
        lambda token: RevokeAccessor(accessor=f"hvs.{token[3:]}"),
        lambda token: DestroySecretId(path=PLACE, accessor=f"one of the caller's own, {token[3:]}"),
        lambda token: ExplainPolicy(asked_action=Action.READ, asked_path=Path(("a", token)), policies=()),
    ],
)
def test_a_token_where_none_belongs_is_not_shown(audited: Any, made: Callable[[str], Any]) -> None:
    """A name, a label or an accessor may be one by mistake: its fingerprint stands for it, or nothing."""

    async def work(journal: Journal) -> None:
        context = audited.context(made(audited.token))
        await journal.closing(context, "ok", Outcome(Wrapped("a" * 32, 1, 1, f"secret/data/{audited.token}")))

    asyncio.run(audited.run(work))
    assert audited.lines()[-1]["details"]["creation_path"].startswith("secret/data/")
    assert not [file for file in audited.folder.iterdir() if b"canary" in file.read_bytes()]


def test_an_accessor_is_shown(audited: Any) -> None:
    """What names a token without being one."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(LookupAccessor(accessor="0123456789abcdef" * 2)), "ok")

    asyncio.run(audited.run(work))
    assert {"accessor": "0123456789abcdef" * 2} == audited.lines()[-1]["details"]


def test_requests_that_wait_together_share_a_sync(audited: Any) -> None:
    """200 records that arrive while a batch is being written take a handful of syncs, and all are durable."""
    disk = CountingDisk()

    async def work(journal: Journal) -> None:
        before = disk.syncs
        await asyncio.gather(*(journal.closing(audited.context(), "ok") for _ in range(200)))
        assert disk.syncs - before < 20

    asyncio.run(audited.run(work, kept(reserve_bytes=0), disk=disk))
    assert 202 == len(audited.lines())
    assert verify(audited.folder).ok


def test_without_synced_nothing_is_synced(audited: Any) -> None:
    """The setting is for tools and tests that need no durability."""
    disk = CountingDisk()

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work, kept(reserve_bytes=0, synced=False), disk=disk))
    assert 0 == disk.syncs
    assert 3 == len(audited.lines())


def test_files_are_for_the_owner_alone(audited: Any) -> None:
    """0700 for the folder, also when it was there before with more; 0600 for all in it."""
    audited.folder.mkdir(mode=0o755)

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")

    previous = os.umask(0)
    try:
        asyncio.run(audited.run(work))
    finally:
        os.umask(previous)
    assert 0o700 == stat.S_IMODE(audited.folder.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in audited.folder.iterdir()}


def test_one_process_a_shard(audited: Any) -> None:
    """Two writers would break the chain, so the second is refused with a sentence."""

    async def work(journal: Journal) -> None:
        with pytest.raises(Unavailable, match="another process writes audit shard 0"):
            await audited.journal().open(lambda record: "absent")

    asyncio.run(audited.run(work))


def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(audited: Any) -> None:
    """The gateway does not start without an audit."""
    audited.folder.write_text("a file")
    with pytest.raises(Unavailable, match=r"the audit folder .* cannot be used"):
        asyncio.run(audited.run(lambda journal: asyncio.sleep(0)))


def test_a_cancelled_waiter_disturbs_nobody(audited: Any) -> None:
    """A client that leaves while its record is being written leaves the others' answers alone."""

    async def work(journal: Journal) -> None:
        waiting = [asyncio.ensure_future(journal.closing(audited.context(), "ok")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [None, asyncio.CancelledError, None] == [error and type(error) for error in ended]

    asyncio.run(audited.run(work))
    assert 5 == len(audited.lines())


def test_a_loop_that_was_held_up_takes_the_answer_that_waits(audited: Any) -> None:
    """A record that became durable in time is not reported lost because the loop looked late."""
    answered = threading.Event()

    async def work(journal: Journal) -> None:
        waiting = asyncio.ensure_future(journal.closing(audited.context(), "ok"))
        for _ in range(3):  # turns of the loop until the committer has it
            await asyncio.sleep(0)
        answered.wait()
        # A loop that was held up calls what is due before it takes the committer's answer.
        assert journal._expiry is not None
        journal._expiry.cancel()
        journal._expiry = asyncio.get_running_loop().call_at(0.0, journal._expire)
        journal._waiting = deque((0.0, future) for _, future in journal._waiting)
        journal._expire()
        await waiting

    asyncio.run(audited.run(work, watch=lambda *_: answered.set()))


def test_closing_waits_for_changes_under_way(audited: Any) -> None:
    """A journal that is closed while a change runs still gets its closing record."""

    async def run() -> None:
        journal = audited.journal()
        await journal.open(lambda record: "absent")
        context = audited.write()
        await journal.request(context)
        stopping = asyncio.ensure_future(journal.close())
        await asyncio.sleep(0)
        await journal.closing(context, "ok")
        await stopping

    asyncio.run(run())
    assert "closing" == audited.lines()[-1]["kind"]


def test_a_closed_journal_refuses(audited: Any) -> None:
    """Nobody waits for a thread that has ended; closing what was never opened is nothing."""

    async def run() -> None:
        await audited.journal().close()
        journal = audited.journal()
        await journal.open(lambda record: "absent")
        await journal.close()
        with pytest.raises(Unavailable):
            await journal.closing(audited.context(), "ok")
        with pytest.raises(Unavailable):
            await journal.request(audited.write())

    asyncio.run(run())
