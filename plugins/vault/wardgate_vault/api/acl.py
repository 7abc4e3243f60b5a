"""Policies as Vault's clients write them: ``sys/policies/acl``, and ``sys/policy`` of old."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import (
    DEFAULT,
    POLICIES,
    DeletePolicy,
    Draft,
    ListPolicies,
    Policy,
    ReadPolicy,
    Rule,
    WritePolicy,
)
from wardgate.spi.path import Path

from wardgate_vault.acl.hcl import decoded, parse
from wardgate_vault.acl.mapping import mapped
from wardgate_vault.acl.rendering import rendered
from wardgate_vault.acl.ties import ties
from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, flattened, refusal
from wardgate_vault.api.errors import NOT_FOUND, Refused, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import ONE, Route

_ROOT = "root"


async def _list(request: Request) -> Answer:
    names = (await request.perform(ListPolicies())).result
    return envelope(request.id, encode({"keys": list(names)}))


async def _list_of_old(request: Request) -> Answer:
    names = list((await request.perform(ListPolicies())).result)
    return flattened(request.id, {"keys": names, "policies": names})


async def _found(request: Request) -> Policy | None:
    path, _ = _named(request)
    try:
        return (await request.perform(ReadPolicy(path=path))).result
    except SecretNotFound:
        return None


async def _read(request: Request) -> Answer:
    policy = await _found(request)
    if policy is None:
        return NOT_FOUND
    return envelope(request.id, encode({"name": policy.name, "policy": _text(request, policy)}))


async def _read_of_old(request: Request) -> Answer:
    policy = await _found(request)
    if policy is None:
        return NOT_FOUND
    return flattened(request.id, {"name": policy.name, "rules": _text(request, policy)})


def _text(request: Request, policy: Policy) -> str:
    return rendered(policy, request.gateway.mounts(request.namespace).views())


async def _write(request: Request) -> Answer:
    path, name = _named(request)
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.WritePolicy)
        if name == _ROOT:
            raise InvalidValue('cannot update "root" policy')
        text = decoded(asked.policy or asked.rules or "")
        if not text:
            raise InvalidValue("'policy' parameter not supplied or empty")
    views = tuple(request.gateway.mounts(request.namespace).views())
    draft = Draft(name, text, lambda text: _rules_of(text, views))
    warnings = list((await request.perform(WritePolicy(path=path, policy=draft))).warnings)
    if request.path is not None and request.path.segments[-1] != name:
        warnings.append(f"policy name was converted to {name}")
    return envelope(request.id, warnings=warnings) if warnings else NO_CONTENT


def _rules_of(text: str, mounts: Sequence[MountView]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    try:
        stanzas = parse(text)
        done = mapped(stanzas, mounts)
        return done.rules, (*done.warnings, *ties(stanzas, mounts))
    except InvalidValue as error:
        raise InvalidValue(f"failed to parse policy: {error.message}") from None


async def _delete(request: Request) -> Answer:
    path, name = _named(request)
    if name in {_ROOT, DEFAULT}:
        said = f"cannot delete {name} policy" if name == DEFAULT else f'cannot delete "{name}" policy'
        raise Refused(InvalidValue(said), refusal(400, said), action=Action.MANAGE, path=path)
    try:
        await request.perform(DeletePolicy(path=path))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


def _named(request: Request) -> tuple[Path, str]:
    """The operation's path, and the policy's name, which has no capital letters, as in Vault."""
    assert request.path is not None
    name = request.path.segments[-1].lower()
    return POLICIES.child(name), name


ROUTES = (
    Route(("sys", "policies", "acl"), {"list": _list}),
    Route(("sys", "policies", "acl", ONE), {"read": _read, "write": _write, "delete": _delete}),
    Route(("sys", "policy"), {"read": _list_of_old, "list": _list_of_old}),
    Route(("sys", "policy", ONE), {"read": _read_of_old, "write": _write, "delete": _delete}),
)
