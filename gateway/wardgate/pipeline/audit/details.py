"""The allow-list: which facts of which operation an audit record shows beside the common ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from wardgate.spi.frontend import Outcome, Repeated, Wrap
from wardgate.spi.operations.approle import DestroySecretId, LookupSecretId, WriteRole
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.labels import ChangeLabels
from wardgate.spi.operations.methods import EnableMethod, TuneMethod
from wardgate.spi.operations.mounts import CreateMount, TuneMount
from wardgate.spi.operations.policies import ExplainPolicy
from wardgate.spi.operations.secrets import (
    Absent,
    DeleteSecret,
    DestroySecret,
    MoveStage,
    Ordinal,
    PatchSecret,
    ReadSecret,
    Selector,
    Stage,
    UndeleteSecret,
    VersionId,
    WriteSecret,
)
from wardgate.spi.operations.tokens import CreateOrphan, CreateToken, LookupAccessor, RenewAccessor, RevokeAccessor
from wardgate.spi.operations.wrapping import Unwrapped, Wrapped

_SECOND: Final = 1_000_000_000

LONGEST: Final = 256
"""Characters of one detail; callers choose some of them."""
NO_ACCESSOR: Final = "(no accessor)"
"""In the place of what a caller took for one: it may be the token or the secret id itself."""
_is_accessor = re.compile(r"[0-9a-f]{32}").fullmatch

Hide = Callable[[str], str]
"""Gives a text back without the tokens in it."""


def details_of(operation: Operation[Any], hide: Hide) -> dict[str, str] | None:
    """What the allow-list has for this operation; None when nothing."""
    render = _DETAILS.get(type(operation))
    if render is None:
        return None
    facts = render(operation)
    return {name: _safe(hide(text)) for name, text in facts.items() if text} or None if facts else None


def wrapping_of(
    wrap: Wrap | None, outcome: Outcome[Any] | None, details: dict[str, str] | None, hide: Hide
) -> dict[str, str] | None:
    """The details with what an answer's wrapping adds: that it was asked for, and which one was made or taken.

    And that the change was not made now, but before under the same key.
    """
    result = outcome.result if outcome else None
    kept = result.kept if isinstance(result, Unwrapped) else result
    if wrap is None and not isinstance(kept, Wrapped | Repeated):
        return details
    facts = dict(details or {})
    if isinstance(kept, Repeated):
        facts["repeated"] = "true"
    if wrap is not None:
        facts["wrap_ttl"] = f"{wrap.ttl // _SECOND}s"
    if isinstance(kept, Wrapped):
        facts |= {"wrapping_accessor": kept.accessor, "creation_path": _safe(hide(kept.creation_path))}
    return facts


def _safe(text: str) -> str:
    # A lone surrogate has no UTF-8; a record must not fail for what a caller wrote.
    return text[:LONGEST].encode("utf-8", "backslashreplace").decode()


def _selected(version: Selector | Absent | None) -> str:
    match version:
        case Ordinal(number):
            return str(number)
        case VersionId(name):
            return f"id {name}"
        case Stage(name):
            return f"stage {name}"
        case Absent():
            return "absent"
    return ""


def _accessor(given: str | None) -> str:
    return NO_ACCESSOR if given and not _is_accessor(given) else given or ""


def _all(versions: Iterable[Selector]) -> str:
    return ", ".join(map(_selected, versions))


def _made(operation: CreateToken) -> dict[str, str]:
    policies = "those of its giver" if operation.policies is None else ", ".join(operation.policies)
    return {"display_name": operation.display_name, "policies": policies}


def _lease_ttls(operation: EnableMethod | TuneMethod) -> dict[str, str]:
    given = {"default_lease_ttl": operation.default_lease_ttl, "max_lease_ttl": operation.max_lease_ttl}
    return {name: f"{ttl // _SECOND}s" for name, ttl in given.items() if ttl is not None}


_DETAILS: Final[Mapping[type[Operation[Any]], Callable[[Any], dict[str, str] | None]]] = {
    ReadSecret: lambda operation: {"version": _selected(operation.version)} if operation.version else None,
    WriteSecret: lambda operation: {"expect": _selected(operation.expect)},
    PatchSecret: lambda operation: {"expect": _selected(operation.expect)},
    DeleteSecret: lambda operation: {"versions": _all(operation.versions), "expect": _selected(operation.expect)},
    UndeleteSecret: lambda operation: {"versions": _all(operation.versions)},
    DestroySecret: lambda operation: {"versions": _all(operation.versions)},
    MoveStage: lambda operation: {"stage": operation.stage, "version": _selected(operation.version)},
    CreateKey: lambda operation: {"key_name": operation.key_name, "policies": ", ".join(operation.policies)},
    CreateToken: _made,
    CreateOrphan: _made,
    LookupAccessor: lambda operation: {"accessor": _accessor(operation.accessor)},
    RenewAccessor: lambda operation: {"accessor": _accessor(operation.accessor)},
    RevokeAccessor: lambda operation: {"accessor": _accessor(operation.accessor)},
    WriteRole: lambda operation: {"policies": ", ".join(operation.role.policies)},
    LookupSecretId: lambda operation: {"accessor": _accessor(operation.accessor)},
    DestroySecretId: lambda operation: {"accessor": _accessor(operation.accessor)},
    CreateMount: lambda operation: {"type": operation.type},
    TuneMount: lambda operation: {
        "presentation": ", ".join(f"{name}={text}" for name, text in operation.presentation.items()),
        "cache_ttl": str(operation.cache_ttl.duration) if operation.cache_ttl else "",
    },
    EnableMethod: lambda operation: {"type": operation.type, **_lease_ttls(operation)},
    TuneMethod: _lease_ttls,
    ChangeLabels: lambda operation: {"labels": ", ".join(operation.changes)},
    ExplainPolicy: lambda operation: {
        "asked_action": operation.asked_action.value, "asked_path": str(operation.asked_path),
    },
}  # fmt: skip
