"""The store against a model of plain dictionaries: whatever is done in whatever order, both agree."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path as FilePath
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from wardgate.crypto import NamespaceKeyring
from wardgate.spi.errors import Conflict, Gone, PreconditionRequired, SecretNotFound, VersionNotFound, WardgateError
from wardgate.spi.path import ROOT, Path
from wardgate.spi.services import Services
from wardgate.spi.values import Entry, Expect, SecretSettings, Value, VersionState
from wardgate.state.database import Database
from wardgate_native.backend import NativeBackend, open_native
from wardgate_native.options import Options

T = TypeVar("T")
PATHS = [Path.parse(text) for text in ("a", "a/b", "a/c", "a-b", "d/e/f")]
DEFAULT_VERSIONS = 4
paths = st.sampled_from(PATHS)
ordinals = st.integers(1, 8)
chosen = st.lists(ordinals, max_size=3)
values = st.builds(Value, st.binary(max_size=40), st.sampled_from(["text/plain", "application/json"]))


@dataclasses.dataclass
class Version:
    value: Value | None
    deleted: bool = False
    expires: int = 0

    def state(self, now: int) -> VersionState:
        if self.value is None:
            return VersionState.DESTROYED
        if self.deleted:
            return VersionState.DELETED
        return VersionState.EXPIRED if self.expires and self.expires <= now else VersionState.LIVE


@dataclasses.dataclass
class Secret:
    versions: dict[int, Version] = dataclasses.field(default_factory=dict)
    stages: dict[str, int] = dataclasses.field(default_factory=dict)
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    latest: int = 0
    max_versions: int = 0
    strict: bool = False
    delete_after: int = 0


class Clock:
    time = 1_000

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return float(self.time)


class NativeStore(RuleBasedStateMachine):
    """Each rule does one thing to both and compares the answers; the invariants compare all that is held."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.database = Database(FilePath(self.folder.name) / "store.db", self.clock)
        keyring = NamespaceKeyring("root", {1: bytes(32)}, 1).scoped("mount")
        services = Services(self.clock, keyring, self.database, "root", "mount")
        backend = open_native(Options(max_versions=DEFAULT_VERSIONS), services)
        assert isinstance(backend, NativeBackend)
        self.store = backend
        self.model: dict[Path, Secret] = {}
        self.runner = asyncio.Runner()

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, model: Callable[[], T], store: Coroutine[Any, Any, object]) -> None:
        """Either both answer or both raise the same error of the closed list."""
        try:
            model()
        except WardgateError as error:
            with pytest.raises(type(error)):
                self.runner.run(store)
        else:
            self.runner.run(store)

    @rule(path=paths, value=values, expect=st.none() | st.builds(Expect, st.none() | ordinals.map(str)))
    def write(self, path: Path, value: Value, expect: Expect | None) -> None:
        def model() -> None:
            secret = self.model.get(path, Secret())
            if expect is None and secret.strict:
                raise PreconditionRequired
            current = secret.stages.get("current", 0)
            if expect is not None and int(expect.version or 0) != current:
                raise Conflict
            self.model[path] = secret
            secret.latest += 1
            expires = self.clock.time + secret.delete_after if secret.delete_after else 0
            secret.versions[secret.latest] = Version(value, expires=expires)
            if current:
                secret.stages["previous"] = current
            secret.stages["current"] = secret.latest
            for ordinal in sorted(secret.versions)[: -(secret.max_versions or DEFAULT_VERSIONS)]:
                del secret.versions[ordinal]
            secret.stages = {stage: at for stage, at in secret.stages.items() if at in secret.versions}

        self.both(model, self.store.write(path, value, expect=expect))

    @rule(path=paths, versions=st.none() | chosen)
    def delete(self, path: Path, versions: list[int] | None) -> None:
        secret = self.model.get(path, Secret())
        for ordinal in [secret.stages.get("current", 0)] if versions is None else versions:
            version = secret.versions.get(ordinal)
            if version and version.state(self.clock.time) is VersionState.LIVE:
                version.deleted = True
        self.runner.run(self.store.delete(path, versions=versions if versions is None else list(map(str, versions))))

    @rule(path=paths, versions=chosen)
    def undelete(self, path: Path, versions: list[int]) -> None:
        for ordinal in versions:
            version = self.model.get(path, Secret()).versions.get(ordinal)
            if version and version.state(self.clock.time) in {VersionState.DELETED, VersionState.EXPIRED}:
                version.deleted, version.expires = False, 0
        self.runner.run(self.store.undelete(path, versions=list(map(str, versions))))

    @rule(path=paths, versions=chosen)
    def destroy_versions(self, path: Path, versions: list[int]) -> None:
        for ordinal in versions:
            if version := self.model.get(path, Secret()).versions.get(ordinal):
                version.value = None
        self.runner.run(self.store.destroy(path, versions=list(map(str, versions))))

    @rule(path=paths)
    def destroy(self, path: Path) -> None:
        self.model.pop(path, None)
        self.runner.run(self.store.destroy(path))

    @rule(
        path=paths,
        labels=st.none() | st.dictionaries(st.sampled_from("xy"), st.text(max_size=3), max_size=2),
        max_versions=st.none() | st.integers(0, 3),
        strict=st.none() | st.booleans(),
        delete_after=st.none() | st.sampled_from([0, 50]),
    )
    def annotate(
        self,
        path: Path,
        *,
        labels: dict[str, str] | None,
        max_versions: int | None,
        strict: bool | None,
        delete_after: int | None,
    ) -> None:
        secret = self.model.setdefault(path, Secret())
        secret.labels = secret.labels if labels is None else labels
        secret.max_versions = secret.max_versions if max_versions is None else max_versions
        secret.strict = secret.strict if strict is None else strict
        secret.delete_after = secret.delete_after if delete_after is None else delete_after
        changed = SecretSettings(max_versions, strict, delete_after)
        self.runner.run(self.store.annotate(path, labels=labels, settings=changed))

    @rule(path=paths, stage=st.sampled_from(["current", "previous", "pending"]), ordinal=ordinals)
    def move_stage(self, path: Path, stage: str, ordinal: int) -> None:
        def model() -> None:
            secret = self.model.get(path)
            if secret is None:
                raise SecretNotFound
            if secret.stages.get(stage) == ordinal:
                return
            if ordinal not in secret.versions:
                raise VersionNotFound
            if secret.versions[ordinal].state(self.clock.time) is not VersionState.LIVE:
                raise Gone
            if stage == "current" and "current" in secret.stages:
                secret.stages["previous"] = secret.stages["current"]
            secret.stages[stage] = ordinal

        self.both(model, self.store.move_stage(path, stage, version=str(ordinal)))

    @rule(path=paths, stage=st.sampled_from(["previous", "pending"]))
    def take_stage(self, path: Path, stage: str) -> None:
        def model() -> None:
            if path not in self.model:
                raise SecretNotFound
            self.model[path].stages.pop(stage, None)

        self.both(model, self.store.move_stage(path, stage, version=None))

    @rule(amount=st.integers(1, 40))
    def wait(self, amount: int) -> None:
        self.clock.time += amount

    @invariant()
    def every_version_reads_alike(self) -> None:
        """Each version of each secret, the current one, and one that never was."""
        for path in PATHS:
            secret = self.model.get(path)
            current = secret.stages.get("current") if secret else None
            self.reads(path, secret, None, current)
            for ordinal in range(1, (secret.latest if secret else 0) + 2):
                self.reads(path, secret, str(ordinal), ordinal)

    def reads(self, path: Path, secret: Secret | None, asked: str | None, ordinal: int | None) -> None:
        read = self.store.read(path, version=asked)
        if secret is None or ordinal is None:
            with pytest.raises(SecretNotFound):
                self.runner.run(read)
        elif ordinal not in secret.versions:
            with pytest.raises(VersionNotFound):
                self.runner.run(read)
        elif (state := secret.versions[ordinal].state(self.clock.time)) is not VersionState.LIVE:
            with pytest.raises(Gone) as gone:
                self.runner.run(read)
            assert gone.value.info is not None
            assert (str(ordinal), state) == (gone.value.info.id, gone.value.info.state)
        else:
            found = self.runner.run(read)
            assert (secret.versions[ordinal].value, secret.labels) == (found.value, found.labels)
            assert {stage for stage, at in secret.stages.items() if at == ordinal} == found.info.stages

    @invariant()
    def every_secret_is_described_alike(self) -> None:
        """States, stages, labels and settings."""
        for path, secret in self.model.items():
            found = self.runner.run(self.store.describe(path))
            states = {int(info.id): info.state for info in found.versions}
            assert {at: version.state(self.clock.time) for at, version in secret.versions.items()} == states
            assert secret.stages == {stage: int(info.id) for info in found.versions for stage in info.stages}
            assert SecretSettings(secret.max_versions, secret.strict, secret.delete_after) == found.settings
            assert (secret.labels, secret.stages.get("current")) == (
                found.labels,
                None if found.current is None else int(found.current.id),
            )

    @invariant()
    def lists_are_alike(self) -> None:
        """The root and one folder."""
        for folder in (ROOT, Path.parse("a")):
            below = [p.below(folder).segments for p in self.model if p.starts_with(folder) and p != folder]
            entries = sorted({Entry(segments[0], folder=len(segments) > 1) for segments in below})
            assert tuple(entries) == self.runner.run(self.store.list(folder)).entries


NativeStore.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestNativeStore = NativeStore.TestCase
