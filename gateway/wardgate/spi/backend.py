"""A backend: the code that speaks to one store. One must (``read``), many mays."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Unavailable, Unsupported
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the store answers, in a sentence without secrets."""

    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Permission:
    """One right that a mount's own credential needs.

    ``name``: in the store's words, such as ``secretsmanager:GetSecretValue``. ``needed_for``: the capabilities that
    fail without it, ``read`` among them. ``granted``: None where the store does not tell without a change.
    """

    name: str
    needed_for: frozenset[str]
    granted: bool | None


def _unsupported(what: str) -> NoReturn:
    raise Unsupported(f"this store cannot {what}")


class Backend(abc.ABC):
    """An opened store. Paths are within the mount; all methods raise only errors of the closed list.

    A method that is not overridden raises Unsupported, and its capability must then not be declared.
    Implementations are safe for concurrent calls on one event loop, and survive cancellation.
    ``capabilities`` and ``notes`` are those of one Declaration that the backend's type lists.
    """

    capabilities: Capabilities
    notes: Mapping[str, str] = MappingProxyType({})

    @abc.abstractmethod
    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the current version, or the one of this id.

        Labels, stages and times may be left out where the store would have to be asked again for them: such a backend
        has an option ``metadata`` that asks. ``created_at`` is then 0, which is "not told" everywhere. ``describe``
        always tells them.

        Raises:
            SecretNotFound: no secret of that path. Never returns None.
            VersionNotFound: the secret never had that version, or no longer keeps it.
            Gone: the version is deleted, destroyed, disabled or expired; carries its VersionInfo where that is known.
        """

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version and make it current. Needs ``write``; ``expect`` needs ``compare_and_set``.

        Raises:
            Conflict: the current version is not the expected one; nothing was written.
            Gone: the secret as a whole is deleted and could be recovered; undelete or destroy it first.
            PreconditionRequired: the secret demands ``expect``.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("be written to")

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names directly below ``folder`` (``ROOT`` for the whole mount). Needs ``list``.

        An empty or unknown folder is an empty page, not an error. ``cursor`` comes from an earlier page.

        Raises:
            Malformed: the cursor is foreign or damaged.
        """
        _unsupported("list names")

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret without values, deleted versions included. Needs ``describe``.

        Of ``ROOT``: the settings of the mount itself. Needs ``mount_settings``.

        Raises:
            SecretNotFound: no secret of that path. A deleted one that can be recovered is described.
        """
        _unsupported("describe a secret")

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Replace the labels, change the settings; None leaves them. Needs ``labels`` or ``settings``.

        Where the secret does not exist it is made, without a version; a store that does not declare ``empty_secrets``
        raises SecretNotFound. With ``merge`` the labels are changes to those there are, None taking one away, and a
        secret that does not exist is SecretNotFound.
        With neither nothing is changed, and nothing made.
        Of ``ROOT``: the settings of the mount itself, and no labels. Needs ``mount_settings``.

        Raises:
            SecretNotFound: there is none, where none is made.
            Gone: the secret as a whole is deleted and could be recovered.
            InvalidValue: labels or settings that the store cannot keep; nothing was changed.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("keep labels or settings")

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the current version, or those named. Needs ``delete``; naming needs ``delete_versions``.

        Recoverable when ``undelete`` is declared, else final. A store that does not declare ``delete_versions``
        deletes the secret as a whole: all its versions are Gone, or where that is final, it is SecretNotFound.
        An empty selection deletes nothing.

        Raises:
            SecretNotFound, VersionNotFound, Gone: there is nothing to delete, in a store that says so. To the gateway's
                callers that is done; only VersionNotFound for one of several is told, since the others may be left.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("delete")

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover deleted versions. Needs ``undelete``. Versions that are live or destroyed stay as they are.

        A store that does not declare ``delete_versions`` recovers the whole secret, whichever of its versions is named.
        A version that never was is not made.

        Raises:
            SecretNotFound, VersionNotFound, Gone: there is nothing to recover; told as for ``delete``.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("undelete")

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Destroy those versions for ever; without ``versions`` the whole secret and its history.

        Needs ``destroy``; naming needs ``destroy_versions``. What is deleted and could be recovered is destroyed too.
        An empty selection destroys nothing.

        Raises:
            SecretNotFound, VersionNotFound: there is nothing to destroy; told as for ``delete``.
            Gone: it is deleted, and the store keeps it recoverable all the same: nothing was destroyed.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("destroy")

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put ``stage`` on that version (None: take it away). Needs ``stages``.

        A stage is on one version at a time. Moving ``current`` puts ``previous`` where it was, and needs
        ``move_current``; so does moving ``previous`` alone, where the store lets it. ``current`` is never taken away.

        Raises:
            SecretNotFound, VersionNotFound: there is none to put it on.
            Gone: the version is not live, in a store that looks.
            InvalidValue: a name that cannot be a stage here, or one that follows from others.
            OutcomeUnknown: the store's answer was not clear.
        """
        _unsupported("move a stage")

    async def health(self) -> Health:
        """Whether the store answers and accepts the mount's credential. Never raises.

        Which rights that credential lacks is a question for :meth:`probe`: one that may not do this or that is well.
        """
        return Health(ok=True, detail="this backend has no health check")

    async def probe(self) -> Sequence[Permission]:
        """Ask, changing nothing, whether the store can be reached, accepts the credential, and allows what is declared.

        Raises:
            Unavailable: it cannot be reached.
            RateLimited: it asks for patience; as any other error, it is Unavailable to whoever makes a mount.
            Unauthenticated: it does not accept the credential at all. One without any right is told right by right.
        """
        health = await self.health()
        if not health.ok:
            raise Unavailable(health.detail)
        return ()

    async def close(self) -> None:
        """Give back connections, threads and handles. Called once, and safe to call twice."""
