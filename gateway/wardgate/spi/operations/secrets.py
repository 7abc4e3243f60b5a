"""Operations on secrets: what a backend is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.spi.operations.base import Action, Batch, Operation
from wardgate.spi.values import Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo


@dataclass(frozen=True, slots=True)
class Ordinal:
    """A version by its number, counted from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class VersionId:
    """A version by the store's own id.

    ``mark``: that of its :class:`VersionInfo`; a later version of the same number has another one. None: any.
    """

    id: str
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A version by the stage that is on it."""

    name: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A compare-and-set that expects nothing to be there."""


Selector = Ordinal | VersionId | Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSecret(Operation[SecretVersion]):
    """Read one version; without ``version`` the current one. ``fresh``: ask the store, whatever is remembered."""

    action = Action.READ
    version: Selector | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSecret(Operation[SecretInfo]):
    """What is known of a secret, without values; of a mount's own prefix: the settings for all of its secrets."""

    action = Action.DESCRIBE


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSecrets(Operation[Page]):
    """One page of the names directly below the folder ``path``; only what the principal may see."""

    action = Action.LIST
    folder = True
    cursor: str | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSecret(Operation[VersionInfo]):
    """Store a new version; ``expect`` makes it a compare-and-set on the current one."""

    action = Action.WRITE
    mutates = True
    value: Value = field(repr=False)
    expect: Ordinal | VersionId | Absent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSecret(Operation[VersionInfo]):
    """Merge ``patch`` into the current version, a JSON object, and store the result (RFC 7396).

    Never shows what is there: whoever may write may patch. It needs a store that can compare and set.
    """

    action = Action.WRITE
    mutates = True
    patch: Value = field(repr=False)
    expect: Ordinal | VersionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSecrets(Operation[Page]):
    """One page of the names anywhere below the folder ``path``: ``Entry.name`` is the path from there, ``a/b/c``.

    Only secrets, in the order of their folders; a folder the principal may not list is left out with all below it.
    """

    action = Action.LIST
    folder = True
    cursor: str | None = None
    limit: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSecrets(Batch[SecretVersion]):
    """Many reads in one request."""

    action = Action.READ
    items: tuple[ReadSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSecrets(Batch[SecretInfo]):
    """What is known of many secrets, in one request."""

    action = Action.DESCRIBE
    items: tuple[DescribeSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteSecrets(Batch[VersionInfo]):
    """Many writes in one request; each is made or not for itself, and in no order."""

    action = Action.WRITE
    mutates = True
    items: tuple[WriteSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateSecret(Operation[None]):
    """Replace labels, change settings; None leaves them. At a mount's own prefix: settings for all of its secrets.

    ``merge``: the labels are changes to those there are, None taking one away; the secret must exist.
    """

    action = Action.ANNOTATE
    mutates = True
    labels: Mapping[str, str | None] | None = field(default=None, repr=False)
    settings: SecretSettings | None = None
    merge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSecret(Operation[None]):
    """Delete the current version, or those selected; recoverable where the store can.

    ``expect``: only that version, and only while it is the current one; nothing is selected beside it.
    """

    action = Action.DELETE
    mutates = True
    versions: tuple[Selector, ...] = ()
    expect: VersionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeleteSecret(Operation[None]):
    """Recover deleted versions."""

    action = Action.UNDELETE
    mutates = True
    versions: tuple[Selector, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroySecret(Operation[None]):
    """Destroy those versions for ever; with no selection the whole secret and its history."""

    action = Action.DESTROY
    mutates = True
    versions: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStage(Operation[None]):
    """Put ``stage`` on that version; None takes it away."""

    action = Action.ANNOTATE
    mutates = True
    stage: str
    version: Selector | None
