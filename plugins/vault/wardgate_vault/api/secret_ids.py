"""Secret ids of AppRole roles: issued, chosen, listed by their accessors, looked up, destroyed."""

from __future__ import annotations

from typing import Any

from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed, SecretNotFound
from wardgate.spi.networks import check_networks
from wardgate.spi.operations.approle import (
    ChooseSecretId,
    CreateSecretId,
    DestroySecretId,
    ListSecretIds,
    LookupSecretId,
    SecretIdInfo,
    TidySecretIds,
)
from wardgate.spi.operations.base import Action
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.approle import ROLE, role_of
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, refusal
from wardgate_vault.api.errors import NOT_FOUND, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import METHOD, Route
from wardgate_vault.api.tokens import ACCEPTED, TIDYING
from wardgate_vault.durations import UNSET, parse_duration, rfc3339, whole_seconds


async def _issue(request: Request) -> Answer:
    role, _ = role_of(request)
    path = role.child("secret-id")
    with refusing(Action.WRITE, path):
        asked, plain = wire.decode(await request.body(), wire.IssueSecretId)
        operation = CreateSecretId(path=path, **_bounds(asked))
    warnings = wire.ignored(plain, wire.IssueSecretId)
    return await _issued(request, operation, warnings)


async def _choose(request: Request) -> Answer:
    role, _ = role_of(request)
    path = role.child("custom-secret-id")
    with refusing(Action.WRITE, path):
        asked, plain = wire.decode(await request.body(), wire.IssueSecretId)
        if not asked.secret_id:
            raise InvalidValue("missing secret_id")
        operation = ChooseSecretId(path=path, secret_id=asked.secret_id, **_bounds(asked))
    return await _issued(request, operation, wire.ignored(plain, wire.IssueSecretId))


async def _issued(request: Request, operation: CreateSecretId, warnings: tuple[str, ...]) -> Answer:
    try:
        issued = (await request.perform(operation)).result
    except SecretNotFound:
        return _no_role(request, 404)
    data = {
        "secret_id": issued.secret_id,
        "secret_id_accessor": issued.accessor,
        "secret_id_num_uses": issued.uses,
        "secret_id_ttl": whole_seconds(issued.ttl),
    }
    return envelope(request.id, encode(data), warnings=warnings)


def _bounds(asked: wire.IssueSecretId) -> dict[str, Any]:
    if asked.num_uses is not None and asked.num_uses < 0:
        raise InvalidValue("num_uses cannot be negative")
    for field in ("cidr_list", "token_bound_cidrs"):
        check_networks(field, wire.texts(getattr(asked, field)))
    return {
        "ttl": None if asked.ttl is None else parse_duration(asked.ttl, field="ttl"),
        "uses": asked.num_uses,
        "networks": wire.texts(asked.cidr_list),
        "token_networks": wire.texts(asked.token_bound_cidrs),
        "metadata": _metadata(asked.metadata),
    }


def _metadata(given: str) -> dict[str, str]:
    """An object of texts as JSON, or ``name=value`` with commas, as Vault takes both."""
    try:
        read = strict_json.loads(given.encode("utf-8", "surrogatepass")) if given.lstrip().startswith("{") else None
    except Malformed:
        read = None
    if read is None:
        pairs = [part.partition("=") for part in wire.texts(given)]
        if not all(middle for _, middle, _ in pairs):
            raise InvalidValue("failed to parse metadata: failed to parse the input: invalid <key,value> format")
        return {name.strip(): value.strip() for name, _, value in pairs}
    if not isinstance(read, dict) or not all(isinstance(value, str) for value in read.values()):
        raise InvalidValue("failed to parse metadata: expected a map of texts")
    return read


async def _list(request: Request) -> Answer:
    role, _ = role_of(request)
    try:
        keys = (await request.perform(ListSecretIds(path=role.child("secret-id")))).result
    except SecretNotFound:
        return _no_role(request, 400)
    return envelope(request.id, encode({"keys": keys})) if keys else NOT_FOUND


async def _lookup(request: Request) -> Answer:
    path, secret_id = await _named(request, Action.READ, "lookup")
    try:
        info = (await request.perform(LookupSecretId(path=path, secret_id=secret_id))).result
    except SecretNotFound:
        return NO_CONTENT
    return envelope(request.id, encode(_shown(info)))


async def _lookup_accessor(request: Request) -> Answer:
    path, accessor = await _accessor(request, Action.READ, "lookup")
    try:
        info = (await request.perform(LookupSecretId(path=path, accessor=accessor))).result
    except SecretNotFound:
        return refusal(404, "failed to find accessor entry for that secret_id_accessor")
    return envelope(request.id, encode(_shown(info)))


async def _destroy(request: Request) -> Answer:
    path, secret_id = await _named(request, Action.WRITE, "destroy")
    try:
        await request.perform(DestroySecretId(path=path, secret_id=secret_id))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


async def _destroy_accessor(request: Request) -> Answer:
    path, accessor = await _accessor(request, Action.WRITE, "destroy")
    try:
        await request.perform(DestroySecretId(path=path, accessor=accessor))
    except SecretNotFound:
        return refusal(404, "failed to find accessor entry for that secret_id_accessor")
    return NO_CONTENT


async def _tidy(request: Request) -> Answer:
    assert request.path is not None
    await request.perform(TidySecretIds(path=request.path))
    return envelope(request.id, warnings=TIDYING, status=ACCEPTED)


async def _named(request: Request, action: Action, verb: str) -> tuple[Path, str]:
    role, _ = role_of(request)
    path = role.child("secret-id").child(verb)
    with refusing(action, path):
        asked, _ = wire.decode(await request.body(), wire.NameSecretId)
        if not asked.secret_id:
            raise InvalidValue("missing secret_id")
    return path, asked.secret_id


async def _accessor(request: Request, action: Action, verb: str) -> tuple[Path, str]:
    role, _ = role_of(request)
    path = role.child("secret-id-accessor").child(verb)
    with refusing(action, path):
        asked, _ = wire.decode(await request.body(), wire.NameSecretIdAccessor)
        if not asked.secret_id_accessor:
            raise InvalidValue("missing secret_id_accessor")
    return path, asked.secret_id_accessor


def _no_role(request: Request, status: int) -> Answer:
    return refusal(status, f'role "{role_of(request)[1]}" does not exist')


def _shown(info: SecretIdInfo) -> dict[str, object]:
    return {
        "cidr_list": info.networks,
        "creation_time": rfc3339(info.created_at),
        "expiration_time": UNSET if info.expires_at is None else rfc3339(info.expires_at),
        "last_updated_time": rfc3339(info.used_at),
        "metadata": info.metadata,
        "secret_id_accessor": info.accessor,
        "secret_id_num_uses": info.uses_left,
        "secret_id_ttl": whole_seconds(info.expires_at - info.created_at) if info.expires_at is not None else 0,
        "token_bound_cidrs": info.token_networks,
    }


ROUTES = (
    Route((*ROLE, "secret-id"), {"write": _issue, "list": _list}),
    Route((*ROLE, "custom-secret-id"), {"write": _choose}),
    Route((*ROLE, "secret-id", "lookup"), {"write": _lookup}),
    Route((*ROLE, "secret-id", "destroy"), {"write": _destroy, "delete": _destroy}),
    Route((*ROLE, "secret-id-accessor", "lookup"), {"write": _lookup_accessor}),
    Route((*ROLE, "secret-id-accessor", "destroy"), {"write": _destroy_accessor, "delete": _destroy_accessor}),
    Route(("auth", METHOD, "tidy", "secret-id"), {"write": _tidy}),
)
