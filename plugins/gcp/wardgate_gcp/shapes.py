"""Google's messages as the gateway's values, and labels as annotations."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wardgate.spi.errors import InvalidValue, TooLarge
from wardgate.spi.values import CURRENT, PREVIOUS, SecretInfo, VersionInfo, VersionState

STATES: Mapping[str, VersionState] = {
    "ENABLED": VersionState.LIVE, "DISABLED": VersionState.DELETED, "DESTROYED": VersionState.DESTROYED,
}  # fmt: skip
MAX_ANNOTATION_BYTES = 16_383
"""Of all keys and values of a secret, which the service wants below 16 KiB."""
MAX_ALIASES = 50
"""Of a secret."""
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_STAGE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_KEY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_ESCAPE = "wg32-"
"""Begins the annotation of a label whose key no annotation can have: its UTF-8 in base 32 follows."""
_RESERVED = frozenset({"latest", "new"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a secret beside its value. ``versions``: the newest of them, or all, newest first."""

    secret: Any = field(repr=False)
    versions: tuple[Any, ...] = field(repr=False)

    @property
    def newest(self) -> int:
        """The number of the newest version; 0 without any."""
        return number_of(self.versions[0].name) if self.versions else 0

    def version(self, number: int) -> Any:
        """The version of this number, if it is among these."""
        return next((version for version in self.versions if number_of(version.name) == number), None)

    def stages(self, number: int) -> frozenset[str]:
        """The names of a version: its aliases, and what follows from its place."""
        names = {alias for alias, target in self.secret.version_aliases.items() if target == number}
        places = {CURRENT: self.newest, PREVIOUS: self.newest - 1}
        # An alias that somebody gave one of these names would say otherwise; in this store it is no more than a name.
        return frozenset(names - places.keys() | {stage for stage, place in places.items() if place == number})


def parse_number(version: str) -> int | None:
    """A version's number; None for what was never an id."""
    return int(version) if _NUMBER.fullmatch(version) else None


def number_of(name: str) -> int:
    """The number in a version's resource name."""
    return int(name.rpartition("/")[2])


def version_info(version: Any, stages: Iterable[str] = ()) -> VersionInfo:
    """A version's message. The service does not tell when one was disabled."""
    number = number_of(version.name)
    state = STATES.get(version.state.name, VersionState.DISABLED)
    return VersionInfo(
        id=str(number),
        ordinal=number,
        created_at=_nanoseconds(version.create_time),
        state=state,
        deleted_at=(_nanoseconds(version.destroy_time) or None) if state is VersionState.DESTROYED else None,
        stages=frozenset(stages),
    )


def secret_info(known: Known) -> SecretInfo:
    """A secret's message with those of all its versions."""
    infos = tuple(version_info(version, known.stages(number_of(version.name))) for version in reversed(known.versions))
    created_at = _nanoseconds(known.secret.create_time)
    times = (max(info.created_at, info.deleted_at or 0) for info in infos)
    return SecretInfo(
        current=infos[-1] if infos else None,
        versions=infos,
        created_at=created_at,
        updated_at=max((created_at, *times)),
        labels=to_labels(known.secret.annotations),
    )


def stage_alias(stage: str) -> str:
    """The alias that stands for a stage.

    Raises:
        InvalidValue: the store can hold no such alias.
    """
    if not _STAGE.fullmatch(stage) or stage.lower() in _RESERVED:
        raise InvalidValue("a stage in this store is a letter and up to 62 letters, digits, hyphens and underscores")
    return stage


def to_annotations(given: Mapping[str, str]) -> dict[str, str]:
    """Labels as annotations.

    Raises:
        InvalidValue: a key that is too long.
        TooLarge: more than a secret can have.
    """
    made = {_key(key): value for key, value in given.items()}
    if sum(len(text.encode()) for pair in made.items() for text in pair) > MAX_ANNOTATION_BYTES:
        raise TooLarge(f"labels in this store are at most {MAX_ANNOTATION_BYTES} bytes in all")
    return made


def to_labels(held: Mapping[str, str]) -> dict[str, str]:
    """Annotations as labels, those of the vendor's own tools among them."""
    return {_label(key): value for key, value in held.items()}


def _key(label: str) -> str:
    if _KEY.fullmatch(label) and not label.startswith(_ESCAPE):
        return label
    key = _ESCAPE + base64.b32encode(label.encode()).decode().rstrip("=").lower()
    if not _KEY.fullmatch(key):
        raise InvalidValue("a label's name in this store is 1 to 63 letters and digits, or 1 to 36 bytes of any text")
    return key


def _label(key: str) -> str:
    if not key.startswith(_ESCAPE):
        return key
    encoded = key.removeprefix(_ESCAPE).upper()
    try:
        label = base64.b32decode(encoded + "=" * (-len(encoded) % 8)).decode()
        return label if _key(label) == key else key
    except (binascii.Error, UnicodeDecodeError, InvalidValue):
        return key


def _nanoseconds(time: Any) -> int:
    """A timestamp of the client's; 0 for none. Its own ``timestamp()`` would round."""
    if not time:
        return 0
    whole: datetime = time.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + int(getattr(time, "nanosecond", time.microsecond * 1_000))
