"""What each change does to a head; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wardgate.spi.errors import Conflict, InvalidValue, PreconditionRequired, SecretNotFound, VersionNotFound
from wardgate.spi.values import CURRENT, PREVIOUS, Expect, SecretSettings, Value, VersionState

from wardgate_native.options import Options
from wardgate_native.store import head as heads
from wardgate_native.store.head import Head, Kept

MAX_VERSIONS = 1_000
MAX_LABELS = 64
MAX_LABEL_BYTES = 128
MAX_LABEL_VALUE_BYTES = 512
MAX_STAGES = 64
MAX_STAGE_BYTES = 256
MAX_DELETE_AFTER = 100 * 366 * 86_400 * 1_000_000_000
_MAX_DIGITS = 18


@dataclass(slots=True)
class Change:
    """The head as it shall be, the version to add and the versions whose values go."""

    head: Head
    value: Value | None = None
    removed: Sequence[int] = ()


Transition = Callable[[Head | None, int], Change | None]
"""From the head as it is (None: no secret) and the time to a change, or None when there is nothing to do."""


def ordinal_of(version: str) -> int:
    """The ordinal of a version's id; 0, which no version has, for text that is no such id."""
    if 0 < len(version) <= _MAX_DIGITS and version.isascii() and version.isdecimal() and version[0] != "0":
        return int(version)
    return 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every secret of a mount beside its own settings. ``delete_after`` below 0: none ends by itself."""

    default_versions: int
    max_versions: int = 0
    compare_and_set_required: bool = False
    delete_after: int = 0

    @classmethod
    def of(cls, options: Options, mount: Head | None) -> Rules:
        """From the mount's options, and from its settings where it has any."""
        if mount is None:
            return cls(options.max_versions, compare_and_set_required=options.compare_and_set_required)
        required = options.compare_and_set_required or mount.compare_and_set_required
        return cls(options.max_versions, mount.max_versions, required, mount.delete_after)

    def kept(self, head: Head) -> int:
        """How many versions of a secret are kept."""
        return max(head.max_versions, self.max_versions) or self.default_versions

    def end(self, head: Head, now: int) -> int:
        """When a version that is new now ends by itself; 0: never."""
        if self.delete_after < 0:
            return 0
        lives = [life for life in (head.delete_after, self.delete_after) if life]
        return now + min(lives) if lives else 0


def write(value: Value, expect: Expect | None, rules: Rules) -> Transition:
    """A new version becomes current; the oldest beyond what is kept are dropped."""

    def transition(found: Head | None, now: int) -> Change:
        head = found or heads.new(now)
        _check_expectation(head, expect, rules)
        head.latest += 1
        if head.current:
            head.stages[PREVIOUS] = head.current
        head.stages[CURRENT] = head.latest
        head.versions[head.latest] = Kept(now, rules.end(head, now))
        head.updated_at = now
        return Change(head, value, _drop_oldest(head, rules.kept(head)))

    return transition


def _check_expectation(head: Head, expect: Expect | None, rules: Rules) -> None:
    if expect is None:
        if head.compare_and_set_required or rules.compare_and_set_required:
            raise PreconditionRequired("this secret accepts a write only with the version it expects to replace")
        return
    wanted = 0 if expect.version is None else ordinal_of(expect.version) or -1
    if wanted != head.current:
        raise Conflict(
            "there is a version already; read it and try again"
            if expect.version is None
            else "the current version is not the one expected; read it and try again"
        )


def _drop_oldest(head: Head, kept: int) -> list[int]:
    dropped = sorted(head.versions)[: max(0, len(head.versions) - kept)]
    for ordinal in dropped:
        del head.versions[ordinal]
    if dropped:
        head.stages = {stage: where for stage, where in head.stages.items() if where in head.versions}
    return dropped


def delete(versions: Sequence[str] | None) -> Transition:
    """Mark versions deleted; those that are gone already stay as they are."""

    def transition(head: Head | None, now: int) -> Change | None:
        chosen = _chosen(head, versions)
        marked = [kept for kept in chosen.values() if kept.state(now) is VersionState.LIVE]
        for kept in marked:
            kept.deleted_at = now
        return _touched(head, now) if marked else None

    return transition


def undelete(versions: Sequence[str], rules: Rules) -> Transition:
    """Take the mark away; where versions end by themselves, those that were gone have a whole life again."""

    def transition(head: Head | None, now: int) -> Change | None:
        gone = {VersionState.DELETED, VersionState.EXPIRED}
        marked = [kept for kept in _chosen(head, versions).values() if kept.state(now) in gone]
        for kept in marked:
            assert head is not None
            kept.deleted_at, kept.expires_at = 0, rules.end(head, now)
        return _touched(head, now) if marked else None

    return transition


def destroy(versions: Sequence[str]) -> Transition:
    """The versions stay known; their values and data keys go for ever."""

    def transition(head: Head | None, now: int) -> Change | None:
        removed = [ordinal for ordinal, kept in _chosen(head, versions).items() if not kept.destroyed]
        for ordinal in removed:
            assert head is not None
            head.versions[ordinal].destroyed = True
        return _touched(head, now, removed) if removed else None

    return transition


def annotate(
    labels: Mapping[str, str | None] | None,
    settings: SecretSettings | None,
    *,
    merge: bool = False,
    of_mount: bool = False,
) -> Transition:
    """Replace the labels, or merge into them; change the settings that are given.

    Makes the secret where there is none, unless it merges. ``of_mount``: the settings are those of the mount itself.
    """
    _check_settings(settings or SecretSettings(), of_mount=of_mount)

    def transition(found: Head | None, now: int) -> Change:
        if found is None and merge:
            raise SecretNotFound("there is no such secret")
        head = found or heads.new(now)
        if labels is not None:
            all_labels = {**head.labels, **labels} if merge else labels
            head.labels = {name: text for name, text in all_labels.items() if text is not None}
            _check_labels(head.labels)
        if settings is not None:
            for name in SecretSettings.__dataclass_fields__:
                given = getattr(settings, name)
                setattr(head, name, getattr(head, name) if given is None else given)
        head.updated_at = now
        return Change(head)

    return transition


def move_stage(stage: str, version: str | None) -> Transition:
    """Put a stage on a version or take it away; current leaves previous where it was."""
    if not 0 < len(stage.encode()) <= MAX_STAGE_BYTES or not stage.isprintable():
        raise InvalidValue(f"a stage's name has 1 to {MAX_STAGE_BYTES} printable bytes")
    if stage == CURRENT and version is None:
        raise InvalidValue("the stage current can be moved to another version, not taken away")

    def transition(head: Head | None, now: int) -> Change | None:
        if head is None:
            raise SecretNotFound("there is no such secret")
        before = head.stages.get(stage)
        wanted = None if version is None else ordinal_of(version)
        if wanted == before:
            return None
        if wanted is None:
            del head.stages[stage]
            return _touched(head, now)
        if wanted not in head.versions:
            raise VersionNotFound("the secret has no such version")
        head.live(wanted, now)
        if stage == CURRENT and before:
            head.stages[PREVIOUS] = before
        head.stages[stage] = wanted
        if len(head.stages) > MAX_STAGES:
            raise InvalidValue(f"a secret has {MAX_STAGES} stages at most; take one away first")
        return _touched(head, now)

    return transition


def _chosen(head: Head | None, versions: Sequence[str] | None) -> dict[int, Kept]:
    """The versions named, or the current one; a number that never was is left out: nothing is to be done to it."""
    if head is None:
        return {}
    ordinals = [head.current] if versions is None else [ordinal_of(version) for version in versions]
    if versions is not None and 0 in ordinals:
        raise VersionNotFound("versions of this store are named by numbers from 1")
    return {ordinal: head.versions[ordinal] for ordinal in ordinals if ordinal in head.versions}


def _touched(head: Head | None, now: int, removed: Sequence[int] = ()) -> Change:
    assert head is not None
    head.updated_at = now
    return Change(head, removed=removed)


def _check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > MAX_LABELS:
        raise InvalidValue(f"a secret has {MAX_LABELS} labels at most")
    for name, value in labels.items():
        if not 0 < len(name.encode()) <= MAX_LABEL_BYTES or len(value.encode()) > MAX_LABEL_VALUE_BYTES:
            raise InvalidValue(
                f"a label's name has 1 to {MAX_LABEL_BYTES} bytes, and its value {MAX_LABEL_VALUE_BYTES} at most"
            )


def _check_settings(settings: SecretSettings, *, of_mount: bool) -> None:
    if not 0 <= (settings.max_versions or 0) <= MAX_VERSIONS:
        raise InvalidValue(f"max_versions is 0 to {MAX_VERSIONS}; 0 means the store's default")
    least = -MAX_DELETE_AFTER if of_mount else 0
    if not least <= (settings.delete_after or 0) <= MAX_DELETE_AFTER:
        raise InvalidValue("delete_after is 0 (never) to 100 years")
