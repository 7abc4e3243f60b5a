"""A backend that can do everything, in memory: what the suite asks of each capability, in as few lines as it takes.

``WholeReference`` is its twin whose secrets begin, go and come back as one.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wardgate.spi import pages
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    PreconditionRequired,
    SecretNotFound,
    TooLarge,
    Unsupported,
    VersionNotFound,
)
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import (
    CURRENT,
    PREVIOUS,
    Entry,
    Expect,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)

EVERYTHING = Capabilities(
    **{each.name: True for each in dataclasses.fields(Capabilities) if isinstance(each.default, bool)}
)


@dataclass(slots=True)
class Secret:
    """One secret: its versions in order, their values by id, and which version has which stage."""

    created_at: int
    updated_at: int
    versions: dict[str, VersionInfo] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict, repr=False)
    stages: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict, repr=False)
    settings: SecretSettings = field(default_factory=SecretSettings)
    written: int = 0

    def info(self, version: str) -> VersionInfo:
        """The facts of one version. Raises VersionNotFound."""
        if version not in self.versions:
            raise VersionNotFound("the secret has no such version")
        info = self.versions[version]
        stages = frozenset(stage for stage, holder in self.stages.items() if holder == version)
        ended = info.expires_at is not None and info.expires_at <= time.time_ns()
        state = VersionState.EXPIRED if ended and info.state is VersionState.LIVE else info.state
        return dataclasses.replace(info, stages=stages, state=state)

    def live(self, version: str) -> VersionInfo:
        """As ``info``. Raises Gone where the version cannot be read."""
        info = self.info(version)
        if info.state is not VersionState.LIVE:
            raise Gone(f"the version is {info.state.value}", info=info)
        return info


class Store:
    """What outlives a handle."""

    def __init__(self) -> None:
        self.secrets: dict[Path, Secret] = {}
        self.settings = SecretSettings()

    def secret(self, path: Path) -> Secret:
        """Raises SecretNotFound."""
        if path not in self.secrets:
            raise SecretNotFound("there is no secret of that path")
        return self.secrets[path]

    def made(self, path: Path) -> Secret:
        """The secret, made where it is not there."""
        now = time.time_ns()
        return self.secrets.setdefault(path, Secret(now, now))


class Reference(Backend):
    """See the module. No method waits for anything, so each is done as one."""

    capabilities = EVERYTHING

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the current version, or the one of this id."""
        secret = self._store.secret(path)
        if version is None and not secret.versions:
            raise SecretNotFound("the secret has no version yet")
        info = secret.live(secret.stages[CURRENT] if version is None else version)
        return SecretVersion(info, secret.values[info.id], dict(secret.labels))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version."""
        if not path.segments:
            raise InvalidValue("the root is no secret")
        if len(str(path).encode()) > self.capabilities.max_path_bytes:
            raise TooLarge("the path is too long")
        if len(value.data) > self.capabilities.max_value_bytes:
            raise TooLarge("the value is too large")
        settings = self._settings(self._store.secrets.get(path))
        if expect is None and settings.compare_and_set_required:
            raise PreconditionRequired("the secret demands a compare-and-set")
        known = self._store.secrets.get(path)
        if expect is not None and expect.version != (known.stages.get(CURRENT) if known else None):
            raise Conflict("the current version is another one")
        secret = self._store.made(path)
        secret.written += 1
        now = max(time.time_ns(), secret.updated_at)
        new = VersionInfo(
            id=str(secret.written),
            ordinal=secret.written,
            created_at=now,
            expires_at=now + settings.delete_after if settings.delete_after else None,
        )
        secret.versions[new.id] = new
        secret.values[new.id] = value
        secret.updated_at = now
        self._become_current(secret, new.id)
        for oldest in list(secret.versions)[: -settings.max_versions] if settings.max_versions else ():
            del secret.versions[oldest]
            secret.values.pop(oldest, None)
            secret.stages = {stage: holder for stage, holder in secret.stages.items() if holder != oldest}
        return secret.info(new.id)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page, cut from the whole folder."""
        after = pages.position(cursor)
        below = (path.below(folder).segments for path in self._store.secrets if path.starts_with(folder))
        return pages.cut({Entry(rest[0], folder=len(rest) > 1) for rest in below if rest}, after, limit)

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret, or of the mount."""
        if path == ROOT:
            return SecretInfo(None, (), 0, 0, settings=self._store.settings)
        secret = self._store.secret(path)
        versions = tuple(secret.info(version) for version in secret.versions)
        current = secret.info(secret.stages[CURRENT]) if versions else None
        return SecretInfo(current, versions, secret.created_at, secret.updated_at, dict(secret.labels), secret.settings)

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Change labels and settings."""
        if path == ROOT:
            self._store.settings = _changed(self._store.settings, settings)
            return
        must_be = merge or not self.capabilities.empty_secrets
        secret = self._store.secret(path) if must_be else self._store.made(path)
        if labels is not None:
            whole = {**(secret.labels if merge else {}), **labels}
            secret.labels = {name: text for name, text in whole.items() if text is not None}
        secret.settings = _changed(secret.settings, settings)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Mark the versions as deleted."""
        secret = self._store.secret(path)
        chosen = [secret.stages[CURRENT]] if versions is None and secret.versions else versions or ()
        self._mark(secret, chosen, {VersionState.LIVE}, VersionState.DELETED)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Take the mark away."""
        self._mark(self._store.secret(path), versions, {VersionState.DELETED}, VersionState.LIVE)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Drop the values, or the secret."""
        secret = self._store.secret(path)
        if versions is None:
            del self._store.secrets[path]
            return
        self._mark(secret, versions, set(VersionState), VersionState.DESTROYED)
        for version in versions:
            secret.values.pop(version, None)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put a stage on a version, or take it away."""
        secret = self._store.secret(path)
        if stage == PREVIOUS or (stage == CURRENT and version is None):
            raise InvalidValue("the stage follows from where 'current' is")
        if version is None:
            secret.stages.pop(stage, None)
        elif stage == CURRENT:
            self._become_current(secret, secret.live(version).id)
        else:
            secret.stages[stage] = secret.live(version).id

    def _settings(self, secret: Secret | None) -> SecretSettings:
        """The mount's and the secret's together."""
        both = [self._store.settings, secret.settings if secret else SecretSettings()]
        return SecretSettings(
            max_versions=max(each.max_versions or 0 for each in both),
            compare_and_set_required=any(each.compare_and_set_required for each in both),
            delete_after=min((each.delete_after for each in both if each.delete_after), default=0),
        )

    @staticmethod
    def _become_current(secret: Secret, version: str) -> None:
        before = secret.stages.get(CURRENT)
        if before is not None and before != version:
            secret.stages[PREVIOUS] = before
        secret.stages[CURRENT] = version

    @staticmethod
    def _mark(secret: Secret, versions: Sequence[str], those: set[VersionState], state: VersionState) -> None:
        for version in versions:
            if secret.info(version).state in those:
                since = None if state is VersionState.LIVE else time.time_ns()
                secret.versions[version] = dataclasses.replace(secret.versions[version], state=state, deleted_at=since)


class WholeReference(Reference):
    """The same, of which no single version is deleted or destroyed, and whose newest version is current.

    A secret begins with its first version.
    """

    capabilities = dataclasses.replace(
        EVERYTHING, delete_versions=False, destroy_versions=False, move_current=False, empty_secrets=False
    )

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Refuse to write over what can be recovered."""
        secret = self._store.secrets.get(path)
        if secret and secret.versions:
            current = secret.info(secret.stages[CURRENT])
            if current.state is VersionState.DELETED:
                raise Gone("the secret is deleted: undelete or destroy it first", info=current)
        return await super().write(path, value, expect=expect)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete all versions."""
        _whole(versions)
        await super().delete(path, versions=list(self._store.secret(path).versions))

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover all, if any is named."""
        if versions:
            await super().undelete(path, versions=list(self._store.secret(path).versions))

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Destroy the secret."""
        _whole(versions)
        await super().destroy(path)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Move other stages than those that follow from the order of the versions."""
        if stage in {CURRENT, PREVIOUS}:
            raise Unsupported("the newest version is current in this store")
        await super().move_stage(path, stage, version=version)


def _whole(versions: Sequence[str] | None) -> None:
    if versions is not None:
        raise Unsupported("this store deletes and destroys secrets as a whole")


def _changed(old: SecretSettings, change: SecretSettings | None) -> SecretSettings:
    told = dataclasses.asdict(change or SecretSettings())
    return dataclasses.replace(old, **{name: setting for name, setting in told.items() if setting is not None})
