"""A data folder: made, opened by several workers, refused with one plain sentence."""

from __future__ import annotations

import asyncio
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from wardgate.crypto import KeyFileSeal
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import AlreadyExists, InvalidValue, Sealed, Unauthenticated, Unavailable
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State
from wardgate.state.database import operation_id
from wardgate.state.lives import Life
from wardgate.state.mounts import MountRow
from wardgate.state.tokens import checksum, new_id, new_token

POLICY = Policy("p", (Rule(Effect.ALLOW, ("read",), ("a/**",)),))


def test_a_new_folder_is_its_owners_alone(state: State, tmp_path: Path) -> None:
    """0700, and every file in it 0600."""
    data = tmp_path / "data"
    assert 0o700 == stat.S_IMODE(data.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in data.iterdir() if file.is_file()}


def test_what_was_made_is_there_when_it_is_opened(state: State, reopen: Callable[[], State]) -> None:
    """The same installation, the same keys, the root namespace."""
    again = reopen()
    assert state.installation == again.installation
    sealed = state.keyring("root").seal(b"x", data=[], key=[])
    assert b"x" == again.keyring("root").open(sealed, data=[], key=[])
    assert ["root", "root", ""] == [again.namespaces.resolve(path) for path in ("", "root", "other")]


def test_a_folder_is_made_once(state: State, seal: KeyFileSeal, clock: Any, tmp_path: Path) -> None:
    """A second one in its place is refused, and the first stays."""
    with pytest.raises(AlreadyExists, match="there is data in"):
        State.create(tmp_path / "data", seal, clock)
    assert state.keyring("root")


def test_another_key_file_opens_nothing(state: State, clock: Any, tmp_path: Path) -> None:
    """The sentence says which key file is wanted."""
    other = KeyFileSeal.create(tmp_path / "other")
    with pytest.raises(Sealed, match="give the key file that was made with this data folder"):
        State.open(tmp_path / "data", other, clock, LocalEpochs())


@pytest.mark.parametrize("kept", ["namespaces", "audit", "key", ".", ".."])
def test_a_folder_that_lost_its_data_is_to_be_restored(
    state: State, reopen: Callable[[], State], tmp_path: Path, kept: str
) -> None:
    """Whatever else is left of it, or nothing: whose key file is there had data, and init would hide the loss."""
    asyncio.run(state.close())
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "data" / kept).resolve().mkdir(parents=True, exist_ok=True)
    with pytest.raises(InvalidValue, match=r"gateway.db is missing: restore it with `wardgate backup restore") as told:
        reopen()
    assert "init" not in told.value.message


def test_a_store_s_file_that_is_gone_is_missed(state: State, reopen: Callable[[], State], tmp_path: Path) -> None:
    """It is not made anew by whoever reads or writes; and the second mount of the namespace makes none either."""
    file = tmp_path / "data" / "namespaces" / "root.db"
    asyncio.run(state.mounts.add(mount(state, "first")))
    file.unlink()
    for ask in (lambda: reopen().database("root").check(), lambda: state.database("root").write_and_wait(str)):
        with pytest.raises(Unavailable, match=r"^namespaces/root.db is missing; restore it from a backup$"):
            ask()
    asyncio.run(state.mounts.add(mount(state, "second")))
    assert [] == list(file.parent.iterdir())


def test_the_first_mount_of_a_namespace_makes_its_file_before_its_row(state: State, tmp_path: Path) -> None:
    """A crash between the two leaves a file that nobody asks for, and no mount that cannot be opened."""
    file = tmp_path / "data" / "namespaces" / "root.db"
    file.unlink()
    forged = replace(mount(state, "first"), prefix=SecretPath(("sys",)))
    with pytest.raises(InvalidValue):
        asyncio.run(state.mounts.add(forged))
    assert (True, ()) == (file.exists(), state.mounts.of("root"))
    asyncio.run(state.mounts.add(mount(state, "first")))
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def mount(state: State, prefix: str) -> MountRow:
    return state.mounts.draft(
        "root", SecretPath((prefix,)), "native", options={}, presentation={}, description=""
    )  # fmt: skip


def test_an_empty_file_was_never_initialised(seal: KeyFileSeal, clock: Any, tmp_path: Path) -> None:
    """As a crash in the middle of init leaves it."""
    (tmp_path / "gateway.db").touch()
    with pytest.raises(InvalidValue, match="never completely initialised"):
        State.open(tmp_path, seal, clock, LocalEpochs())


def test_a_damaged_file_is_one_plain_sentence(state: State, reopen: Callable[[], State], tmp_path: Path) -> None:
    """Stop and restore."""
    asyncio.run(state.close())
    (tmp_path / "data" / "gateway.db").write_bytes(b"rubbish " * 1_000)
    with pytest.raises(Unavailable, match="restore it from a backup"):
        reopen()


def test_a_folder_that_cannot_be_written_is_refused(seal: KeyFileSeal, clock: Any, tmp_path: Path) -> None:
    """Such as one below a file."""
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="check its folder"):
        State.create(tmp_path / "file" / "data", seal, clock)


def test_an_old_schema_and_a_new_one_are_the_same(state: State) -> None:
    """The migrations make what the tables declare: names, types, keys."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415  # heavy, and used here alone
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from wardgate.state import tables  # noqa: PLC0415

    def known(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:  # noqa: FBT001
        return not (kind == "table" and name in {"gateway_version", "wardgate_operations"})

    with state._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": known})
        assert [] == compare_metadata(context, tables.metadata)


def test_a_change_by_a_process_that_died_is_found_by_reconciling(state: State, reopen: Callable[[], State]) -> None:
    """It committed and never bumped: a worker with memory of its own forgets at the next look, not before."""
    worker = reopen()
    asyncio.run(worker.policies.write("root", POLICY))
    state.reconcile()
    assert (POLICY,) == state.policies.of("root").policies
    asyncio.run(worker.policies.delete("root", "p"))
    assert (POLICY,) == state.policies.of("root").policies
    state.reconcile()
    assert () == state.policies.of("root").policies


def test_reconciling_without_changes_bumps_nothing(state: State) -> None:
    """Nothing of what workers remember is lost to the clock."""
    state.reconcile()
    slot = state.epochs.slot("policies", "root")
    before = state.epochs.read(slot)
    for _ in range(3):
        state.reconcile()
    assert before == state.epochs.read(slot)


def test_a_revocation_by_a_process_that_died_is_found(state: State, reopen: Callable[[], State]) -> None:
    """The epoch that the authenticate layer's memo hangs on moves."""
    issued = asyncio.run(state.principals.issue("root", "k", (), Life()))
    asyncio.run(reopen().principals.revoke("root", issued.info.principal.id))
    slot = state.epochs.slot("principals", "root")
    before = state.epochs.read(slot)
    state.reconcile()
    assert before != state.epochs.read(slot)
    with pytest.raises(Unauthenticated):
        state.principals.lookup(issued.token, "root")


def test_a_namespace_deleted_elsewhere_closes_its_store_here(state: State, reopen: Callable[[], State]) -> None:
    """Its file is gone, and nobody keeps it open."""
    team = new_id()
    asyncio.run(state.namespaces.create("root", "team", namespace=team, along=lambda _: None))
    state.make_store(team)
    state.database(team).write_and_wait(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))
    other = reopen()
    assert other.database(team).committed("x") is False
    asyncio.run(state.delete_namespace(team))
    other.reconcile()
    assert {} == other._stores
    assert [] == list((state.folder / "namespaces").glob(f"{team}*"))


def test_an_operation_is_found_wherever_it_was_committed(state: State) -> None:
    """In the gateway's own file or in a native store; absent where it was not."""

    async def run() -> None:
        operation_id.set("in-state")
        await state.policies.write("root", POLICY)
        operation_id.set("in-store")
        await state.database("root").write(lambda connection: None)

    asyncio.run(run())
    found = [state.committed(operation) for operation in ("in-state", "in-store", "nowhere")]
    asyncio.run(state.close())
    assert [True, True, False] == found


def test_ordinals_are_assigned_once_and_in_order(state: State, reopen: Callable[[], State]) -> None:
    """Concurrently, by two workers: no gap, no double, and the same answer ever after."""
    other = reopen()

    async def run() -> list[list[int]]:
        return [
            await asyncio.gather(*(ledger.ordinal("m", "a/b", f"v{n}") for n in range(20) for ledger in ledgers))
            for _ in range(2)
        ]

    ledgers = (state.ledger, other.ledger)
    first, second = asyncio.run(run())
    assert first == second
    assert set(range(1, 21)) == set(first)
    assert all(first[index] == first[index + 1] for index in range(0, 40, 2))
    assert {f"v{n}" for n in range(20)} == {state.ledger.version("m", "a/b", ordinal) for ordinal in range(1, 21)}
    assert [None] * 5 == [state.ledger.version("m", "a/b", ordinal) for ordinal in (0, -1, 21, 2**63, 2**70)]
    assert 1 == asyncio.run(state.ledger.ordinal("m", "other", "v5"))
    assert {} == state.ledger.known("other", "a/b")


def test_a_token_ends_in_a_checksum_a_scanner_can_tell() -> None:
    """The last six characters follow from those before."""
    token = new_token()
    assert token == f"wg_{token[3:46]}{checksum(token[3:46])}"
    assert token != new_token()
