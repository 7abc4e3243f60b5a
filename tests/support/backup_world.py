"""A data folder with something of everything in it, and backups of it."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath

from wardgate.backup import Findings, Manifest, create, restore, verify
from wardgate.cli import founding
from wardgate.clock import SystemClock
from wardgate.crypto.seal import KeyFileSeal
from wardgate.mounts.opener import Opener
from wardgate.registry import Registry
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.backend import Backend
from wardgate.spi.operations.approle import Role
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Value
from wardgate.state import State
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.state.tokens import new_id

PLUGINS = ("native", "vault")
TYPES = Registry.load(PLUGINS).backend_types
CANARY = b'{"password": "canary-value-77ab"}'


def unseen(_more: int) -> None:
    """No progress is shown."""


class World:
    """A data folder and its key, and backups of it."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.key = folder / "key"
        self.file = folder / "backup"

    @property
    def seal(self) -> KeyFileSeal:
        return KeyFileSeal.load(self.key)

    def open(self, data: FilePath | None = None) -> State:
        return State.open(data or self.data, self.seal, SystemClock(), LocalEpochs())

    def store(self, state: State, namespace: str = ROOT_NAMESPACE) -> Backend:
        (row,) = state.mounts.of(namespace)
        return Opener(TYPES, state, SystemClock()).of_row(namespace, row)

    def create(
        self, file: FilePath | None = None, *, audit: FilePath | None = None, plugins: tuple[str, ...] = PLUGINS
    ) -> Manifest:
        return create(self.data, file or self.file, self.seal, plugins, audit=audit, tick=unseen)

    def verify(self, file: FilePath | None = None, *, values: bool = True) -> Findings:
        return verify(file or self.file, self.seal, PLUGINS, values=values, tick=unseen)[1]

    def restore(self, to: FilePath, file: FilePath | None = None) -> Findings:
        return restore(file or self.file, to, self.seal, PLUGINS, values=True, tick=unseen)[1]

    def left_over(self) -> list[str]:
        """What a backup's work left lying about."""
        return [file.name for file in self.folder.iterdir() if file.name.startswith(".")]


async def furnish(state: State) -> str:
    """Something in every table of the state, and a child namespace with its own store; returns a key's token."""
    await founding.mount_native(state, "secret")
    await state.policies.write(ROOT_NAMESPACE, Policy("app", (Rule(Effect.ALLOW, ("read",), ("secret/**",)),)))
    child = await state.namespaces.create(ROOT_NAMESPACE, "team", namespace=new_id(), along=lambda _: None)
    hour = 3_600 * 10**9
    await state.labels.change(ROOT_NAMESPACE, Path.parse("secret/team"), {"team": "a"})
    await state.methods.enable(ROOT_NAMESPACE, MethodInfo(new_id(), "ci", "approle"))
    await state.approle.write(ROOT_NAMESPACE, Role("web", ("app",)), method="ci")
    await state.approle.new_secret_id(ROOT_NAMESPACE, "web", method="ci")
    await state.wrapping.keep(ROOT_NAMESPACE, b"{}", ttl=hour, creation_path="secret/app")
    await state.idempotency.claim(ROOT_NAMESPACE, "somebody", "key", [b"request"], hour)
    row = state.mounts.draft(
        child.id, Path.parse("kv"), "native", options={}, presentation={}, description="",
    )  # fmt: skip
    await state.mounts.add(row)
    return (await founding.administrator(state, name="first", ttl=None)).token


async def fill(world: World, state: State, namespace: str, secrets: int) -> None:
    store = world.store(state, namespace)
    for number in range(secrets):
        path = Path(("team", f"app-{number}"))
        await store.write(path, Value(CANARY, JSON))
        await store.write(path, Value(b'{"n": %d}' % number, JSON))
    await store.delete(Path(("team", "app-0")))
    await store.close()


def furnished(folder: FilePath) -> World:
    """Two namespaces, three secrets of two versions in each, one of them deleted."""
    world = World(folder)
    state = founding.create(world.data, world.key)

    async def make() -> None:
        await furnish(state)
        for namespace in state.namespaces.ids():
            await fill(world, state, namespace, 3)
        await state.close()

    asyncio.run(make())
    return world
