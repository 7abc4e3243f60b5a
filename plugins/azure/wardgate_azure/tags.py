"""What a version's tags say: a secret's labels, and beside them the marks that the gateway keeps for itself.

Key Vault has tags on each version and nothing on the secret, so the labels are those of the newest version. The marks:
``wardgate-stage-NAME`` puts a stage on a version (the highest number wins while a move is under way), and
``wardgate-written`` orders versions that were made within one second, which is as finely as Key Vault tells time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wardgate.spi.errors import InvalidValue
from wardgate.spi.values import CURRENT, PREVIOUS, VersionInfo, VersionState

RESERVED = "wardgate-"
STAGE = "wardgate-stage-"
WRITTEN = "wardgate-written"
MAX_TAGS = 15
MAX_CHARACTERS = 256
SECOND = 1_000_000_000


def labels_of(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags that are a caller's."""
    return {name: text for name, text in (tags or {}).items() if not name.startswith(RESERVED)}


def marks_of(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags that are the gateway's."""
    return {name: text for name, text in (tags or {}).items() if name.startswith(RESERVED)}


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags as the store takes them.

    Raises:
        InvalidValue: there are too many, or one is too long.
    """
    if len(tags) > MAX_TAGS:
        raise InvalidValue(f"this store keeps {MAX_TAGS} tags on a version, those for the order and stages included")
    if any(not name or len(name) > MAX_CHARACTERS or len(text) > MAX_CHARACTERS for name, text in tags.items()):
        raise InvalidValue(f"this store keeps labels of 1 to {MAX_CHARACTERS} characters, with as much text")
    return dict(tags)


def changed(old: Mapping[str, str], labels: Mapping[str, str | None], *, merge: bool) -> dict[str, str]:
    """The tags of a version whose labels become, or are changed by, these.

    Raises:
        InvalidValue: a label has a name that is the gateway's, or the store would not take them.
    """
    if any(name.startswith(RESERVED) for name in labels):
        raise InvalidValue(f"labels that begin with {RESERVED!r} are the gateway's own in this store")
    kept = {**labels_of(old), **labels} if merge else labels
    return checked(marks_of(old) | {name: text for name, text in kept.items() if text is not None})


def in_order(properties: Sequence[Any]) -> list[Any]:
    """Versions from the oldest to the newest, as far as can be told."""
    return sorted(properties, key=lambda one: (_seconds(one.created_on), _mark(one.tags, WRITTEN), one.version))


def unclear(ordered: Sequence[Any]) -> bool:
    """Whether the newest two were made within a second: the marks are writers' clocks, and the vault has the word."""
    last = ordered[-2:]
    return len(last) > 1 and bool(last[0].created_on == last[1].created_on)


def stages(ordered: Sequence[Any]) -> dict[str, set[str]]:
    """The stages of each version's id: the marked ones, and those that follow from the order."""
    found: dict[str, set[str]] = {one.version: set() for one in ordered}
    for one, name in zip(reversed(ordered), (CURRENT, PREVIOUS), strict=False):
        found[one.version].add(name)
    for mark in {name for one in ordered for name in one.tags or {} if name.startswith(STAGE)}:
        winner = max(ordered, key=lambda one: _mark(one.tags, mark))  # used within its turn
        found[winner.version].add(mark.removeprefix(STAGE))
    return found


def marked(ordered: Sequence[Any], mark: str) -> list[tuple[int, Any]]:
    """The versions that have a mark, with its number, the highest last."""
    found = [(_mark(one.tags, mark), one) for one in ordered if mark in (one.tags or {})]
    return sorted(found, key=lambda pair: pair[0])


def info(one: Any, named: set[str], *, deleted_at: int | None = None) -> VersionInfo:
    """What the store tells of one version."""
    state = VersionState.LIVE if one.enabled is not False else VersionState.DISABLED
    return VersionInfo(
        id=str(one.version),
        created_at=_seconds(one.created_on) * SECOND,
        state=state if deleted_at is None else VersionState.DELETED,
        deleted_at=deleted_at,
        expires_at=_seconds(one.expires_on) * SECOND if one.expires_on else None,
        stages=frozenset(named),
    )


def nanoseconds(moment: Any) -> int:
    """A time of the SDK's as Unix nanoseconds; 0 where there is none."""
    return _seconds(moment) * SECOND


def _seconds(moment: Any) -> int:
    return int(moment.timestamp()) if moment else 0


def _mark(tags: Mapping[str, str] | None, name: str) -> int:
    text = (tags or {}).get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
