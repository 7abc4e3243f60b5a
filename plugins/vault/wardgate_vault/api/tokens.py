"""Tokens as Vault's clients know them: one's own, others' by themselves or by their accessor, and the list of all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.tokens import (
    TOKENS,
    ListAccessors,
    LookupAccessor,
    LookupSelf,
    LookupToken,
    RenewAccessor,
    RenewSelf,
    RenewToken,
    RevokeAccessor,
    RevokeOrphan,
    RevokeSelf,
    RevokeToken,
    TidyTokens,
    TokenInfo,
    TokenIssued,
)

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, one_error, refusal
from wardgate_vault.api.errors import NOT_FOUND, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import Route
from wardgate_vault.durations import SECOND, brief_duration, parse_duration, rfc3339, whole_seconds

ACCEPTED = 202
TIDYING = ("Tidy operation successfully started. What has ended is deleted.",)
_RENEW = RenewSelf()
_PROVE_NOTHING = frozenset({"key", "token"})
"""Kinds of tokens whose metadata is what their maker wrote, and no fact of a login."""
_NO_ACCESSOR = one_error(400, "invalid accessor")


async def _lookup_self(request: Request) -> Answer:
    info = (await request.perform(LookupSelf())).result
    return envelope(request.id, encode(_shown(info, _own(request))))


async def _lookup(request: Request) -> Answer:
    with refusing(Action.READ, TOKENS.child("lookup")):
        asked, plain = wire.decode(await request.body(), wire.NameToken)
    token = asked.token or _own(request)
    try:
        info = (await request.perform(LookupToken(token=token))).result
    except SecretNotFound:
        return refusal(403, "bad token")
    return envelope(request.id, encode(_shown(info, token)), warnings=wire.ignored(plain, wire.NameToken))


async def _lookup_accessor(request: Request) -> Answer:
    accessor, _, warnings = await _accessor(request, Action.READ, "lookup-accessor")
    try:
        info = (await request.perform(LookupAccessor(accessor=accessor))).result
    except SecretNotFound:
        return _NO_ACCESSOR
    return envelope(request.id, encode(_shown(info, "")), warnings=warnings)


async def _accessors(request: Request) -> Answer:
    keys = (await request.perform(ListAccessors())).result
    return envelope(request.id, encode({"keys": keys})) if keys else NOT_FOUND


async def _renew_self(request: Request) -> Answer:
    with refusing(Action.WRITE, _RENEW.path):
        asked, plain = wire.decode(await request.body(), wire.RenewToken)
        increment = _increment(asked.increment)
    ignored = wire.ignored(plain, wire.RenewToken)
    return await _renewed(request, RenewSelf(increment=increment), increment, _own(request), ignored)


async def _renew(request: Request) -> Answer:
    with refusing(Action.WRITE, TOKENS.child("renew")):
        asked, plain = wire.decode(await request.body(), wire.NameToken)
        if not asked.token:
            raise InvalidValue("missing token ID")
        increment = _increment(asked.increment)
    operation = RenewToken(token=asked.token, increment=increment)
    try:
        return await _renewed(request, operation, increment, asked.token, wire.ignored(plain, wire.NameToken))
    except SecretNotFound:
        return refusal(400, "token not found")


async def _renew_accessor(request: Request) -> Answer:
    accessor, increment, warnings = await _accessor(request, Action.WRITE, "renew-accessor")
    try:
        return await _renewed(request, RenewAccessor(accessor=accessor, increment=increment), increment, "", warnings)
    except SecretNotFound:
        return _NO_ACCESSOR


async def _renewed(
    request: Request, operation: Operation[TokenInfo], increment: int | None, token: str, warnings: tuple[str, ...]
) -> Answer:
    info = (await request.perform(operation)).result
    if increment and not info.period and info.ttl < increment - SECOND:
        warnings = (capped("TTL", increment, info.ttl), *warnings)
    return envelope(request.id, auth=auth(info, token), warnings=warnings)


async def _revoke_self(request: Request) -> Answer:
    await request.perform(RevokeSelf())
    return NO_CONTENT


async def _revoke(request: Request) -> Answer:
    token = await _named(request, Action.WRITE, "revoke")
    try:
        await request.perform(RevokeToken(token=token))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


async def _revoke_orphan(request: Request) -> Answer:
    token = await _named(request, Action.MANAGE, "revoke-orphan")
    try:
        await request.perform(RevokeOrphan(token=token))
    except SecretNotFound:
        return refusal(400, "token to revoke not found")
    return NO_CONTENT


async def _revoke_accessor(request: Request) -> Answer:
    accessor, _, _ = await _accessor(request, Action.WRITE, "revoke-accessor")
    try:
        await request.perform(RevokeAccessor(accessor=accessor))
    except SecretNotFound:
        return envelope(request.id, warnings=("No token found with this accessor",))
    return NO_CONTENT


async def _tidy(request: Request) -> Answer:
    await request.perform(TidyTokens())
    return envelope(request.id, warnings=TIDYING, status=ACCEPTED)


async def _named(request: Request, action: Action, verb: str) -> str:
    """The token that a body names."""
    with refusing(action, TOKENS.child(verb)):
        asked, _ = wire.decode(await request.body(), wire.NameToken)
        if not asked.token:
            raise InvalidValue("missing token ID")
    return asked.token


async def _accessor(request: Request, action: Action, verb: str) -> tuple[str, int | None, tuple[str, ...]]:
    """The accessor that a body names, an increment, and warnings."""
    with refusing(action, TOKENS.child(verb)):
        asked, plain = wire.decode(await request.body(), wire.NameAccessor)
        if not asked.accessor:
            raise InvalidValue("1 error occurred:\n\t* missing accessor\n\n")
        return asked.accessor, _increment(asked.increment), wire.ignored(plain, wire.NameAccessor)


def _increment(given: wire.Duration | None) -> int | None:
    return parse_duration(given or 0, field="increment") or None


def _own(request: Request) -> str:
    return request.credential.secret if request.credential else ""


def capped(what: str, asked: int, given: int) -> str:
    """The warning about a duration that was asked for and cut."""
    said, limit = brief_duration(asked), brief_duration(given)
    return f'{what} of "{said}" exceeded the effective max_ttl of "{limit}"; {what} value is capped accordingly'


def cut(issued: TokenIssued) -> tuple[str, ...]:
    """What the token was not given, in Vault's words."""
    info = issued.info
    what, given = ("period", info.period) if info.period else ("TTL", info.creation_ttl)
    return (capped(what, issued.cut, given),) if issued.cut else ()


def auth(info: TokenInfo, token: str) -> dict[str, object]:
    """The ``auth`` part of an answer that hands out, or renews, a token."""
    policies = _policies(info.principal)
    return {
        "client_token": token,
        "accessor": info.principal.accessor,
        "policies": policies,
        "token_policies": policies,
        "metadata": _metadata(info),
        "lease_duration": whole_seconds(info.ttl),
        "renewable": info.renewable,
        "entity_id": "",
        "token_type": "service",
        "orphan": info.orphan,
        "mfa_requirement": None,
        "num_uses": info.uses_left,
    }


def _shown(info: TokenInfo, token: str) -> dict[str, object]:
    """The ``data`` of a lookup."""
    principal = info.principal
    data: dict[str, object] = {
        "accessor": principal.accessor,
        "creation_time": whole_seconds(principal.created_at),
        "creation_ttl": whole_seconds(info.creation_ttl),
        "display_name": principal.name,
        "entity_id": "",
        "expire_time": None if principal.expires_at is None else rfc3339(principal.expires_at),
        "explicit_max_ttl": whole_seconds(info.explicit_max_ttl),
        "id": token,
        "issue_time": rfc3339(principal.created_at),
        "meta": _metadata(info),
        # Vault says so of a token whose last use this is.
        "num_uses": -1 if principal.counted and not info.uses_left else info.uses_left,
        "orphan": info.orphan,
        "path": f"auth/{info.login}/login" if info.login else "auth/token/create",
        "policies": _policies(principal),
        "renewable": info.renewable,
        "ttl": whole_seconds(info.ttl),
        "type": "service",
    }
    if principal.networks:
        data["bound_cidrs"] = principal.networks
    if info.period:
        data["period"] = whole_seconds(info.period)
    if info.renewed_at is not None:
        data |= {"last_renewal": rfc3339(info.renewed_at), "last_renewal_time": whole_seconds(info.renewed_at)}
    return data


def _metadata(info: TokenInfo) -> dict[str, str] | None:
    if info.kind == "approle":
        return {**info.meta, "role_name": info.principal.name}
    proved = {} if info.kind in _PROVE_NOTHING else info.principal.attributes
    return {**info.meta, **proved} or None


def _policies(principal: Principal) -> list[str]:
    """Every principal carries ``default``, and Vault's clients expect to see it."""
    return sorted({*principal.policies, "default"})


def _at(name: str, *verbs: str, by: Callable[[Request], Awaitable[Answer]]) -> Route:
    return Route(("auth", "token", name), dict.fromkeys(verbs, by))


ROUTES = (
    _at("lookup-self", "read", "write", by=_lookup_self),
    _at("lookup", "read", "write", by=_lookup),
    _at("lookup-accessor", "write", by=_lookup_accessor),
    _at("accessors", "list", by=_accessors),
    _at("renew-self", "write", by=_renew_self),
    _at("renew", "write", by=_renew),
    _at("renew-accessor", "write", by=_renew_accessor),
    _at("revoke-self", "write", by=_revoke_self),
    _at("revoke", "write", by=_revoke),
    _at("revoke-orphan", "write", by=_revoke_orphan),
    _at("revoke-accessor", "write", by=_revoke_accessor),
    _at("tidy", "write", by=_tidy),
)
