"""A secret's head: all that is known of it without its values, one document under one MAC."""

from __future__ import annotations

import secrets

import msgspec
from wardgate.spi.errors import Gone
from wardgate.spi.values import CURRENT, SecretInfo, SecretSettings, VersionInfo, VersionState

_ID_BYTES = 16
_NO_STAGES: frozenset[str] = frozenset()
_WORDS = {VersionState.DELETED: "deleted", VersionState.DESTROYED: "destroyed", VersionState.EXPIRED: "expired"}


class Kept(msgspec.Struct, array_like=True):
    """One version. Times are Unix nanoseconds; 0 where it never happened or never will."""

    created_at: int
    expires_at: int = 0
    deleted_at: int = 0
    destroyed: bool = False

    def state(self, now: int) -> VersionState:
        """What can be done with it at that time."""
        if self.destroyed:
            return VersionState.DESTROYED
        if self.deleted_at:
            return VersionState.DELETED
        if self.expires_at and self.expires_at <= now:
            return VersionState.EXPIRED
        return VersionState.LIVE


class Head(msgspec.Struct, array_like=True):
    """One secret. ``id`` is random and never used again; ``latest`` is the last ordinal that was ever given out.

    ``stages`` maps a stage to the ordinal it is on, so that a stage is on one version at a time.
    """

    id: str
    created_at: int
    updated_at: int
    latest: int = 0
    versions: dict[int, Kept] = msgspec.field(default_factory=dict)
    stages: dict[str, int] = msgspec.field(default_factory=dict)
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    max_versions: int = 0
    compare_and_set_required: bool = False
    delete_after: int = 0

    @property
    def current(self) -> int:
        """Ordinal of the current version, 0 when none was ever written."""
        return self.stages.get(CURRENT, 0)

    def info(self, ordinal: int, now: int) -> VersionInfo:
        """What is known of one version, which must be among ``versions``."""
        kept = self.versions[ordinal]
        on = [stage for stage, where in self.stages.items() if where == ordinal]
        return VersionInfo(
            str(ordinal),
            ordinal,
            kept.created_at,
            kept.state(now),
            kept.deleted_at or None,
            kept.expires_at or None,
            frozenset(on) if on else _NO_STAGES,
            self.labels,
        )

    def live(self, ordinal: int, now: int) -> VersionInfo:
        """As ``info``. Raises Gone when the version cannot be read."""
        info = self.info(ordinal, now)
        if info.state is not VersionState.LIVE:
            raise Gone(f"version {ordinal} is {_WORDS[info.state]}", info=info)
        return info

    def describe(self, now: int) -> SecretInfo:
        """What is known of the secret."""
        infos = {ordinal: self.info(ordinal, now) for ordinal in sorted(self.versions)}
        return SecretInfo(
            infos.get(self.current),
            tuple(infos.values()),
            self.created_at,
            self.updated_at,
            self.labels,
            SecretSettings(self.max_versions, self.compare_and_set_required, self.delete_after),
        )


def new(now: int) -> Head:
    """The head of a secret that has nothing yet."""
    return Head(secrets.token_hex(_ID_BYTES), now, now)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Head)


def encode(head: Head) -> bytes:
    """The head as bytes."""
    return _encoder.encode(head)


def decode(data: bytes) -> Head:
    """The head of those bytes; raises msgspec.MsgspecError unless they are one."""
    return _decoder.decode(data)
