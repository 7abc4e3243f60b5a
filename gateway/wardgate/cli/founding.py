"""Makes a gateway's first state: what ``init`` and ``dev`` have in common."""

from __future__ import annotations

from pathlib import Path

from wardgate.backup.archive import must_be_outside
from wardgate.clock import SystemClock
from wardgate.crypto.seal import KeyFileSeal
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import AlreadyExists, InvalidValue, Sealed
from wardgate.spi.operations.policies import ADMINISTRATOR
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State
from wardgate.state.lives import Life
from wardgate.state.namespaces import ROOT_NAMESPACE


def create(data: Path, key_file: Path) -> State:
    """Make the data folder and its key file; when the folder cannot be made, its key file is taken away again.

    Raises:
        AlreadyExists: there is something in the folder, or a key file, of that name; both are left as they are.
        InvalidValue: the folder cannot be looked into, the key file not be written, or one lies in a data folder.
    """
    for place in (data, key_file):
        must_be_outside(place, "make it")
    try:
        taken = any(data.iterdir())
    except FileNotFoundError:
        taken = False
    except OSError as error:
        raise InvalidValue(f"{data} cannot be a data folder: {error.strerror}") from None
    if taken:
        raise AlreadyExists(f"the folder {data} is not empty; name a new one, or serve the one that is there")
    try:
        seal = KeyFileSeal.create(key_file)
    except Sealed as error:
        raise InvalidValue(error.message) from None  # nothing is sealed yet: the place was a wrong one
    try:
        return State.create(data, seal, SystemClock())
    except BaseException:
        key_file.unlink(missing_ok=True)
        raise


def reopen(data: Path, key_file: Path) -> State:
    """Open the state of an existing data folder."""
    return State.open(data, KeyFileSeal.load(key_file), SystemClock(), LocalEpochs())


async def administrator(state: State, *, name: str, ttl: int | None, namespace: str = ROOT_NAMESPACE) -> TokenIssued:
    """A new key that carries ``administrator`` in a namespace, by its id. ``ttl`` in nanoseconds; None: for ever."""
    return await state.principals.issue(namespace, name, (ADMINISTRATOR,), Life(ttl=ttl))


async def chosen_administrator(state: State, *, name: str, token: str) -> None:
    """The same with a token the caller chose; a run before may have made it already.

    Raises:
        AlreadyExists: the token is in use, for something else.
    """
    try:
        await state.principals.issue(ROOT_NAMESPACE, name, (ADMINISTRATOR,), Life(), token=token)
    except AlreadyExists:
        known = state.principals.lookup(token, ROOT_NAMESPACE).principal
        if ADMINISTRATOR not in known.policies:
            raise


async def revoke_administrators(state: State, *, name: str) -> None:
    """End the administrator's keys of that name that live for ever: those of earlier runs."""
    for info in state.principals.keys(ROOT_NAMESPACE):
        one = info.principal
        if (one.name, one.policies, one.expires_at) == (name, (ADMINISTRATOR,), None):
            await state.principals.revoke(ROOT_NAMESPACE, one.id)


async def mount_native(state: State, prefix: str, *, shown_as: str = "2") -> None:
    """Mount the native store at a prefix, shown to Vault's clients as that version of KV."""
    row = state.mounts.draft(
        ROOT_NAMESPACE,
        SecretPath.parse(prefix),
        "native",
        options={},
        presentation={"vault.kv": shown_as},
        description="",
    )
    await state.mounts.add(row)
