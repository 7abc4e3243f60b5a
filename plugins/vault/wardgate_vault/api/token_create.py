"""Tokens that tokens make: ``auth/token/create`` and ``auth/token/create-orphan``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.tokens import TOKENS, CreateOrphan, CreateToken

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import Answer, envelope
from wardgate_vault.api.errors import refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import Route
from wardgate_vault.api.tokens import auth, cut
from wardgate_vault.durations import parse_duration

_NOT_PLAIN = re.compile(r"[^a-zA-Z0-9-]")
_TYPES = frozenset({"", "service", "default"})


async def _create(request: Request) -> Answer:
    return await _made(request, CreateToken)


async def _create_orphan(request: Request) -> Answer:
    return await _made(request, CreateOrphan)


async def _made(request: Request, kind: type[CreateToken]) -> Answer:
    verb = "create-orphan" if kind is CreateOrphan else "create"
    with refusing(kind.action, TOKENS.child(verb)):
        asked, plain = wire.decode(await request.body(), wire.CreateToken)
        # What Vault asks `sudo` for is an operation of its own here, so that a rule can tell the two apart.
        operation = _read(asked, CreateOrphan if asked.no_parent else kind)
    issued = (await request.perform(operation)).result
    warnings = (*cut(issued), *wire.ignored(plain, wire.CreateToken))
    return envelope(request.id, auth=auth(issued.info, issued.token), warnings=warnings)


def _read(asked: wire.CreateToken, kind: type[CreateToken]) -> CreateToken:
    """Raises InvalidValue, also for what would be made without a bound that was asked for."""
    if asked.type == "batch":
        raise InvalidValue("batch tokens are not supported; leave the type out, or say service")
    if asked.type not in _TYPES:
        raise InvalidValue("invalid 'token_type' value")
    for field in ("id", "entity_alias"):
        if getattr(asked, field):
            raise InvalidValue(f"the field {field} is not supported")
    if asked.no_default_policy:
        raise InvalidValue("the field no_default_policy is not supported: every token carries the policy default")
    if asked.num_uses < 0:
        raise InvalidValue("number of uses cannot be negative")
    return kind(
        display_name=_display_name(asked.display_name),
        policies=wire.texts(asked.policies) or None,
        ttl=_duration(asked.ttl or asked.lease, "ttl"),
        explicit_max_ttl=_duration(asked.explicit_max_ttl, "explicit_max_ttl"),
        period=_duration(asked.period, "period"),
        uses=asked.num_uses,
        renewable=asked.renewable,
        meta=_meta(asked.meta or {}),
    )


def _display_name(given: str) -> str:
    return ("token-" + _NOT_PLAIN.sub("-", given)).removesuffix("-") if given else "token"


def _duration(given: wire.Duration | None, field: str) -> int | None:
    return parse_duration(given or 0, field=field) or None


def _meta(given: Mapping[str, object]) -> dict[str, str]:
    for value in given.values():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidValue('error converting input for field "meta": expected a map of texts')
    return {name: str(value) for name, value in given.items()}


ROUTES = (
    Route(("auth", "token", "create"), {"write": _create}),
    Route(("auth", "token", "create-orphan"), {"write": _create_orphan}),
)
