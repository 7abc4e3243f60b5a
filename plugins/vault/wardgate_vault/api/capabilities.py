"""``sys/capabilities-self``: what may I do at these paths, in Vault's paths and Vault's words."""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.spi.errors import InvalidValue, TooLarge
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import ReadCapabilities
from wardgate.spi.path import Path

from wardgate_vault.api import approle_fields, wire
from wardgate_vault.api.envelope import Answer, flattened
from wardgate_vault.api.errors import refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import Route
from wardgate_vault.presentation import FIRST, PRESENTATION

MAX_PATHS = 128
_WRITES = ("create", "update")
_CHANGES = (*_WRITES, "patch")
_NAMES = ("list", "scan")
_KV: Mapping[str, Mapping[Action, tuple[str, ...]]] = {
    "data": {Action.READ: ("read",), Action.WRITE: _CHANGES, Action.DELETE: ("delete",)},
    "subkeys": {Action.READ: ("read",)},
    "metadata": {
        Action.DESCRIBE: ("read",), Action.LIST: _NAMES, Action.ANNOTATE: _CHANGES, Action.DESTROY: ("delete",),
    },
    "detailed-metadata": {Action.LIST: _NAMES},
    "delete": {Action.DELETE: _WRITES},
    "undelete": {Action.UNDELETE: _WRITES},
    "destroy": {Action.DESTROY: _WRITES},
    "config": {Action.DESCRIBE: ("read",), Action.ANNOTATE: _WRITES},
}  # fmt: skip
"""By the segment that follows a mount's prefix: an action here, and Vault's words for it there."""
_FIRST: Mapping[Action, tuple[str, ...]] = {Action.READ: ("read",), Action.WRITE: _WRITES, Action.LIST: _NAMES}
"""Below a mount shown as version 1; what deletes there is the store's to say."""
_SERVICES: Mapping[Action, tuple[str, ...]] = {
    Action.READ: ("read",), Action.LIST: ("list",), Action.WRITE: _WRITES, Action.DELETE: ("delete",),
    Action.MANAGE: (*_WRITES, "delete"),
}  # fmt: skip
_TUNING: Mapping[Action, tuple[str, ...]] = {Action.READ: ("read",), Action.MANAGE: _WRITES}
_SAME: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("sys", "mounts", "auth"): ("sys", "auth"),
    ("sys", "policies", "acl"): ("sys", "policies"),
    ("sys", "policy"): ("sys", "policies"),
}
"""Where Vault has what stands elsewhere here."""
_TUNED = (("sys", "mounts"), ("sys", "auth"))
_NAMED = 3
"""Segments of a mount or a login method among those."""


async def _capabilities(request: Request) -> Answer:
    operation = ReadCapabilities(asked=())
    with refusing(operation.action, operation.path):
        body, _ = wire.decode(await request.body(), wire.AskCapabilities)
        texts = wire.texts(body.paths) + wire.texts(body.path)
        if not texts:
            raise InvalidValue("paths must be supplied")
        if len(texts) > MAX_PATHS:
            raise TooLarge(f"more than {MAX_PATHS} paths at once")
        asked = {text: _translated(request, Path.parse(text.strip("/"))) for text in texts}
    granted = (await request.perform(ReadCapabilities(asked=tuple(path for path, _ in asked.values())))).result
    answer: dict[str, object] = {
        text: _named(words, granted.get(str(path), frozenset())) for text, (path, words) in asked.items()
    }
    if len(asked) == 1:
        answer["capabilities"] = next(iter(answer.values()))
    return flattened(request.id, dict(sorted(answer.items())))


def _translated(request: Request, path: Path) -> tuple[Path, Mapping[Action, tuple[str, ...]]]:
    """The gateway's path for one of Vault's, and what each action is called there."""
    mount = request.gateway.mounts(request.namespace).find(path)
    if mount is None:
        return _of_services(path.segments)
    if mount.presentation.get(PRESENTATION) == FIRST:
        deleting = Action.DESTROY if mount.capabilities.destroy else Action.DELETE
        return path, {**_FIRST, deleting: ("delete",)}
    prefix = mount.prefix.segments
    kind = path.segments[len(prefix) : len(prefix) + 1]
    words = _KV.get(kind[0], {}) if kind else {}
    return Path(prefix + path.segments[len(prefix) + 1 :]), words


def _of_services(segments: tuple[str, ...]) -> tuple[Path, Mapping[Action, tuple[str, ...]]]:
    """The same of what the gateway itself offers: several of Vault's paths are one here."""
    for theirs, ours in _SAME.items():
        if segments[: len(theirs)] == theirs:
            segments = (*ours, *segments[len(theirs) :])
            break
    if len(segments) > _NAMED and segments[:2] in _TUNED and segments[-1] == "tune":
        return Path(segments[:-1]), _TUNING
    if any(route.takes(segments) for route in approle_fields.ROUTES):
        return Path(segments[:-1]), _SERVICES  # a field of a role is the role's own
    return Path(segments), _SERVICES


def _named(words: Mapping[Action, tuple[str, ...]], granted: frozenset[Action]) -> list[str]:
    names = {name for action in granted for name in words.get(action, ())}
    return sorted(names) or ["deny"]


ROUTES = (Route(("sys", "capabilities-self"), {"write": _capabilities}),)
