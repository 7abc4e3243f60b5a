"""A token's holder and its token: ``auth/token/lookup-self``, ``renew-self``, ``revoke-self``."""

from __future__ import annotations

from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.tokens import LookupSelf, RenewSelf, RevokeSelf, TokenInfo

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope
from wardgate_vault.api.errors import refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import Route
from wardgate_vault.durations import SECOND, format_duration, parse_duration, rfc3339, whole_seconds

_RENEW = RenewSelf()
_LOGIN_PATHS = {"approle": "auth/approle/login"}
_METADATA = {"role": "role_name"}
"""Attributes of a principal that Vault calls by another name."""


async def _lookup(request: Request) -> Answer:
    info = (await request.perform(LookupSelf())).result
    principal = info.principal
    data: dict[str, object] = {
        "accessor": principal.accessor,
        "creation_time": whole_seconds(principal.created_at),
        "creation_ttl": whole_seconds(info.creation_ttl),
        "display_name": principal.name,
        "entity_id": "",
        "expire_time": None if principal.expires_at is None else rfc3339(principal.expires_at),
        "explicit_max_ttl": whole_seconds(info.max_ttl),
        "id": request.credential.secret if request.credential else "",
        "issue_time": rfc3339(principal.created_at),
        "meta": _metadata(principal),
        "num_uses": info.uses_left,
        "orphan": True,
        "path": _LOGIN_PATHS.get(principal.method, "auth/token/create"),
        "policies": _policies(principal),
        "renewable": info.renewable,
        "ttl": whole_seconds(info.ttl),
        "type": "service",
    }
    return envelope(request.id, encode(data))


async def _renew(request: Request) -> Answer:
    with refusing(Action.WRITE, _RENEW.path):
        asked, _ = wire.decode(await request.body(), wire.RenewToken)
        increment = parse_duration(asked.increment or 0, field="increment") or None
    info = (await request.perform(RenewSelf(increment=increment))).result
    warnings: tuple[str, ...] = ()
    if increment and info.ttl < increment - SECOND:
        said, given = format_duration(increment), format_duration(info.ttl)
        warnings = (f'TTL of "{said}" exceeded what the token may still live; TTL value is capped to "{given}"',)
    token = request.credential.secret if request.credential else ""
    return envelope(request.id, auth=auth(info, token), warnings=warnings)


async def _revoke(request: Request) -> Answer:
    await request.perform(RevokeSelf())
    return NO_CONTENT


def auth(info: TokenInfo, token: str) -> dict[str, object]:
    """The ``auth`` part of an answer that hands out, or renews, a token."""
    policies = _policies(info.principal)
    return {
        "client_token": token,
        "accessor": info.principal.accessor,
        "policies": policies,
        "token_policies": policies,
        "metadata": _metadata(info.principal),
        "lease_duration": whole_seconds(info.ttl),
        "renewable": info.renewable,
        "entity_id": "",
        "token_type": "service",
        "orphan": True,
        "mfa_requirement": None,
        "num_uses": info.uses_left,
    }


def _metadata(principal: Principal) -> dict[str, str] | None:
    return {_METADATA.get(name, name): value for name, value in principal.attributes.items()} or None


def _policies(principal: Principal) -> list[str]:
    """Every principal carries ``default``, and Vault's clients expect to see it."""
    return sorted({*principal.policies, "default"})


ROUTES = (
    Route(("auth", "token", "lookup-self"), {"read": _lookup, "write": _lookup}),
    Route(("auth", "token", "renew-self"), {"write": _renew}),
    Route(("auth", "token", "revoke-self"), {"write": _revoke}),
)
