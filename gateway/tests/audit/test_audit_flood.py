"""Floods: nobody fills the disk without a grant, nobody is locked out by another's, and what is granted is recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.context import Context, Decision
from wardgate.pipeline.audit import Journal, verify
from wardgate.pipeline.audit import journal as journal_module
from wardgate.pipeline.audit.record import Record, decode
from wardgate.pipeline.audit.renderer import KeyedHash, Renderer
from wardgate.pipeline.audit.sink import Disk
from wardgate.spi.errors import RateLimited, Unavailable
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Credential, Principal
from wardgate.spi.operations.approle import Login, Role, WriteRole
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.policies import ExplainPolicy
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecret, VersionId
from wardgate.spi.operations.system import ReadLeader, ReadSealStatus
from wardgate.spi.path import MAX_SEGMENT_BYTES, MAX_SEGMENTS, Path

from tests.support.audit_settings import kept

QUICK = kept(reserve_bytes=0, synced=False)
STRANGER = "198.51.100.9"
LOGIN = Login(role_id="r", secret_id="s")


def records(audited: Any, kind: str) -> list[dict[str, Any]]:
    return [record for record in audited.lines() if record["kind"] == kind]


def denied(audited: Any, principal: str, operation: Any = None) -> Context:
    """A request that got as far as the policies, which said no."""
    context: Context = audited.context(operation, known=False)
    context.principal = Principal(principal, "root", "billing", "key", (), "accessor-1")
    return context


async def login(audited: Any, journal: Journal, code: str, source: str) -> None:
    context = audited.context(LOGIN, known=False, source=source)
    await journal.request(context)
    await journal.closing(context, code)


async def flood(audited: Any, journal: Journal, sources: int, each: int) -> None:
    """Bad tokens."""
    for number in range(sources):
        for _ in range(each):
            await journal.closing(audited.context(known=False, source=f"10.0.0.{number}"), "unauthenticated")


def test_strangers_cannot_fill_the_disk(audited: Any) -> None:
    """Beyond their rate, denials of a source without a principal become one record that counts them."""

    async def work(journal: Journal) -> None:
        for _ in range(1_000):
            await journal.closing(audited.context(known=False, source=STRANGER), "unauthenticated")
        await journal.closing(audited.context(known=False), "unauthenticated")
        await journal.closing(audited.context(source=STRANGER), "permission_denied")

    asyncio.run(audited.run(work))
    written = [record for record in records(audited, "closing") if record["source"] == STRANGER]
    (summary,) = records(audited, "summary")
    assert 200 + 1 == len(written)
    assert (STRANGER, 800) == (summary["source"], summary["count"])
    assert "code" not in summary
    assert "192.0.2.1" in {record["source"] for record in records(audited, "closing")}


def test_bad_tokens_of_many_sources_lock_no_login_out(audited: Any) -> None:
    """However many denials there were, here and elsewhere, a login of any source has its whole budget."""

    async def work(journal: Journal) -> None:
        await flood(audited, journal, sources=20, each=250)
        for _ in range(500):
            await login(audited, journal, "unauthenticated", "192.0.2.1")
        for _ in range(500):
            await login(audited, journal, "unauthenticated", "10.0.0.1")

    asyncio.run(audited.run(work, QUICK))
    assert 2 * 500 == len(records(audited, "request"))
    assert 20 * 250 - 8 * 200 == sum(record["count"] for record in records(audited, "summary"))


def test_failed_logins_use_up_the_sources_budget_and_good_ones_do_not(audited: Any) -> None:
    """A login is a change, so its request is recorded first: guessing is bounded before anything is done."""

    async def work(journal: Journal) -> None:
        for _ in range(600):
            await login(audited, journal, "ok", STRANGER)
        for _ in range(500):
            await login(audited, journal, "unauthenticated", STRANGER)
        with pytest.raises(RateLimited):
            await login(audited, journal, "unauthenticated", STRANGER)
        await login(audited, journal, "ok", "192.0.2.1")
        audited.clock.seconds += 1
        await login(audited, journal, "ok", STRANGER)

    asyncio.run(audited.run(work, QUICK))
    assert () == verify(audited.folder).shards[0].open


def test_failed_logins_take_nothing_from_denials(audited: Any) -> None:
    """Each kind has its own budget, the other way round too."""

    async def work(journal: Journal) -> None:
        for _ in range(500):
            await login(audited, journal, "unauthenticated", STRANGER)
        for _ in range(200):
            await journal.closing(audited.context(known=False, source=STRANGER), "unauthenticated")

    asyncio.run(audited.run(work, QUICK))
    assert [] == records(audited, "summary")


@pytest.mark.parametrize("operation", [ReadSealStatus(), ReadLeader()])
def test_the_gateways_state_is_answered_beyond_the_budget_and_counted(audited: Any, operation: Any) -> None:
    """A flood of it, or of bad tokens, hides it from nobody; how many were answered is on record."""

    async def work(journal: Journal) -> None:
        await flood(audited, journal, sources=1, each=300)
        for _ in range(700):
            await journal.closing(audited.context(operation, known=False, source="10.0.0.0"), "ok")

    asyncio.run(audited.run(work, QUICK))
    assert 500 == len([record for record in records(audited, "closing") if record["code"] == "ok"])
    assert [(None, 100), ("ok", 200)] == [(r.get("code"), r["count"]) for r in records(audited, "summary")]


def test_a_state_that_cannot_be_recorded_is_not_answered(audited: Any) -> None:
    """Counting is no way round an audit that has failed."""

    async def work(journal: Journal) -> None:
        for _ in range(501):
            await journal.closing(audited.context(ReadSealStatus(), known=False), "ok")
        journal.fault = "the disk is gone"
        with pytest.raises(Unavailable):
            await journal.closing(audited.context(ReadSealStatus(), known=False), "ok")

    asyncio.run(audited.run(work, QUICK))


def test_a_principal_without_a_grant_cannot_fill_the_disk(audited: Any) -> None:
    """Its denials have a budget of its own, whatever its address; another principal's are untouched."""

    async def work(journal: Journal) -> None:
        for _ in range(800):
            await journal.closing(denied(audited, "p-1"), "permission_denied")
        await journal.closing(denied(audited, "p-2"), "permission_denied")

    asyncio.run(audited.run(work, QUICK))
    (summary,) = records(audited, "summary")
    assert ("p-1", 300) == (summary["principal"], summary["count"])
    assert "source" not in summary
    assert {"p-1": 500, "p-2": 1} == {
        name: len([record for record in records(audited, "closing") if record["principal"] == name])
        for name in ("p-1", "p-2")
    }


@pytest.mark.parametrize("code", ["ok", "secret_not_found", "permission_denied", "unavailable"])
def test_what_is_granted_is_always_recorded(audited: Any, code: str) -> None:
    """After any flood, each request that a policy let pass has its record, however it ended."""

    async def work(journal: Journal) -> None:
        for _ in range(600):
            await journal.closing(denied(audited, "p-1"), "permission_denied")
        for number in range(600):
            await journal.closing(audited.context(request=f"granted-{number}"), code)

    asyncio.run(audited.run(work, QUICK))
    granted = [record for record in records(audited, "closing") if record["request"].startswith("granted")]
    assert 600 == len(granted)
    assert {code} == {record["code"] for record in granted}


def test_an_answer_that_only_a_grant_gives_is_never_counted(audited: Any) -> None:
    """Were a defect to answer a read without a principal or a decision, the audit would show each one."""

    async def work(journal: Journal) -> None:
        for _ in range(600):
            await journal.closing(audited.context(known=False), "ok")
            await journal.closing(denied(audited, "p-1"), "ok")

    asyncio.run(audited.run(work, QUICK))
    assert 1_200 == len(records(audited, "closing"))


def test_a_count_that_could_not_be_written_waits_for_the_next_window(
    audited: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full when the window ends loses no count."""

    class Full(Disk):
        full = False

        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(descriptor, data)

    disk = Full()
    monkeypatch.setattr(journal_module, "WINDOW", 0.0)

    async def work(journal: Journal) -> None:
        for _ in range(500):
            await journal.closing(denied(audited, "p-1"), "permission_denied")
        disk.full = True
        await journal.closing(denied(audited, "p-1"), "permission_denied")
        for _ in range(2):  # the second waits behind the summary
            with pytest.raises(Unavailable):
                await journal.closing(audited.context(), "ok")
        disk.full = False
        async with asyncio.timeout(30):  # a summary on its way when there was no room yet comes back a window later
            while not records(audited, "summary"):
                await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work, QUICK, disk=disk))
    assert [("p-1", 1)] == [(record["principal"], record["count"]) for record in records(audited, "summary")]


def rendered(audited: Any, context: Context) -> tuple[bytes, Record]:
    body = Renderer(0, "f" * 32, audited.key, audited.clock).closing(context, "", "permission_denied", None)
    return body, decode(body)


@pytest.mark.parametrize(
    ("segments", "shown"),
    [
        (("a" * 200, "b" * 200, "c" * 110), "a" * 200 + "/" + "b" * 200 + "/" + "c" * 110),
        (("a" * 200, "b" * 200, "c" * 111), "a" * 200 + "/" + "b" * 55 + "…"),
        (("é" * 127, "é" * 127, "a"), "é" * 127 + "/" + "é" * 127 + "/a"),
        (("é" * 127, "é" * 127, "aé"), "é" * 127 + "/" + "…"),
        (("xé" * 85, "é" * 127, "éé"), "xé" * 85 + "/" + "…"),
    ],
)
def test_a_long_path_is_cut(audited: Any, segments: tuple[str, ...], shown: str) -> None:
    """Over 512 bytes: at most 256 of them, on a character's edge, and a keyed hash that tells it from every other."""
    path = Path(segments)
    _, record = rendered(audited, audited.context(ReadSecret(path=path)))
    if shown.endswith("…"):
        head, _, digest = record.path.partition("…")
        _, other = rendered(audited, audited.context(ReadSecret(path=path.child("x"))))
        assert (shown, 64, True) == (head + "…", len(digest), len(head.encode()) <= 256)
        assert head == other.path.partition("…")[0]
        assert digest != other.path.partition("…")[2]
        assert digest != KeyedHash(audited.key)(str(path).encode())
    else:
        assert shown == record.path


def test_a_token_in_a_long_path_is_not_shown(audited: Any) -> None:
    """Neither whole nor the half that the cut would leave."""
    for before in range(0, 255, 17):
        path = Path(("a" * (before + 1), audited.token, *("b" * 255,) * 3))
        body, _ = rendered(audited, audited.context(ReadSecret(path=path)))
        assert b"canary" not in body


LONGEST = Path(('"' * MAX_SEGMENT_BYTES,) * (MAX_SEGMENTS - 1))


@pytest.mark.parametrize(
    "operation",
    [
        ReadSecret(path=LONGEST, version=VersionId("\0" * 9_000)),
        DeleteSecret(path=LONGEST, versions=(VersionId("\ud800" * 9_000),)),
        WriteRole(path=LONGEST, role=Role("r", ("\0" * 9_000,))),
        CreateKey(path=LONGEST, key_name="\ud800" * 9_000, policies=("\ud800" * 9_000,)),
        ExplainPolicy(asked_action=Action.DESCRIBE, asked_path=LONGEST, policies=()),
    ],
)
def test_a_denial_takes_six_kibibytes_at_most(audited: Any, operation: Any) -> None:
    """Whatever a caller writes into it; the bound on the disk's growth rests on this."""
    address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    arrival = Arrival("f" * 36, audited.clock.now(), 0.0, address)
    context = Context(arrival, operation, Credential("token", "t" * 4_000), "f" * 32)
    context.principal = Principal("f" * 32, "f" * 32, "n" * 255, "approle", (), "f" * 32)
    context.decision = Decision("p" * 255, 99)
    body, _ = rendered(audited, context)
    assert len(body) < 6 * 1_024


def test_a_record_of_a_login_takes_a_kibibyte_at_most(audited: Any) -> None:
    """Its path is its own, and nothing of what it shows is written but a hash."""
    operation = Login(role_id="r" * 9_000, secret_id="s" * 9_000)
    context = audited.context(operation, known=False, source="ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    body, _ = rendered(audited, context)
    assert len(body) < 1_024
