"""The shapes of the stores' answers, and what they mean here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from wardgate.spi import values
from wardgate.spi.errors import InvalidValue, Unavailable
from wardgate.spi.values import BYTES, JSON, TEXT, Value, VersionInfo, VersionState

CURRENT = "AWSCURRENT"
LABELS = {values.CURRENT: CURRENT, values.PREVIOUS: "AWSPREVIOUS", "pending": "AWSPENDING"}
STAGES = {label: stage for stage, label in LABELS.items()}
PRIVATE = "wardgate-"
MAX_STAGE = 256
ORDERED = frozenset({values.CURRENT, values.PREVIOUS})
"""The stages that parameters have by the order of their versions."""
NONSENSE = "the answer is not one of the store's; check 'endpoint'"


@contextmanager
def understood() -> Iterator[None]:
    """Raise Unavailable where an answer to a question has not the shape it must have."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        broken = True
    else:
        broken = False
    if broken:  # outside of the handler: the error carries no context, which could hold the answer
        raise Unavailable(NONSENSE)


def value_of(answer: Mapping[str, Any]) -> Value:
    """The value of a version."""
    if "SecretString" not in answer:
        return Value(bytes(answer["SecretBinary"]), BYTES)
    text = Value(str(answer["SecretString"]).encode(), JSON)
    return text if text.fields() is not None else Value(text.data, TEXT)


def info_of(
    entry: Mapping[str, Any], state: VersionState = VersionState.LIVE, deleted_at: int | None = None
) -> VersionInfo:
    """What an answer says of one version."""
    return VersionInfo(
        id=str(entry["VersionId"]),
        created_at=nanoseconds(entry.get("CreatedDate")),
        state=state,
        deleted_at=deleted_at,
        stages=frozenset(
            STAGES.get(label, label) for label in entry.get("VersionStages") or () if _is_shown(str(label))
        ),
    )


def label_of(stage: str) -> str:
    """The staging label of a stage. Raises InvalidValue for those that are the store's or the gateway's own."""
    if stage in STAGES or stage.startswith(PRIVATE):
        raise InvalidValue("this name is reserved; the stages of the store are current, previous and pending")
    if not 1 <= len(stage) <= MAX_STAGE:
        raise InvalidValue(f"a stage in this store has 1 to {MAX_STAGE} characters")
    return LABELS.get(stage, stage)


def holder_of(described: Mapping[str, Any], label: str) -> str | None:
    """The version that has a staging label."""
    labelled: Mapping[str, Any] = described.get("VersionIdsToStages") or {}
    return next((version for version, labels in labelled.items() if label in labels), None)


def current_of(described: Mapping[str, Any]) -> str | None:
    """The id of the current version."""
    return holder_of(described, CURRENT)


def state_of(described: Mapping[str, Any], now: int) -> tuple[VersionState, int | None]:
    """The state of all versions of a secret, and since when."""
    deleted = nanoseconds(described.get("DeletedDate"))
    if not deleted:
        return VersionState.LIVE, None
    # The API's reference calls it the day of the request in one place, the day of the end to come in another.
    return VersionState.DELETED, deleted if deleted <= now else nanoseconds(described.get("LastChangedDate")) or None


def parameter_info(item: Mapping[str, Any], ordered: frozenset[str]) -> VersionInfo:
    """What an answer says of one version of a parameter; ``ordered``: the stages that it has by its place."""
    number = int(item["Version"])
    return VersionInfo(
        id=str(number),
        ordinal=number,
        created_at=nanoseconds(item.get("LastModifiedDate")),
        stages=frozenset(item.get("Labels", ())) - ORDERED | ordered,
    )


def nanoseconds(moment: object) -> int:
    """A time of the SDK; 0 for none. The store counts milliseconds."""
    return round(moment.timestamp() * 1_000) * 1_000_000 if isinstance(moment, datetime) else 0


def _is_shown(label: str) -> bool:
    # A label that is called like one of the stages, but is none, would be taken for it.
    return not label.startswith(PRIVATE) and label not in LABELS
