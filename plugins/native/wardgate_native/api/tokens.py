"""Endpoints of one's own token, and of API keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.keys import KEYS, CreateKey, ListKeys, ReadKey, RevokeKey
from wardgate.spi.operations.tokens import (
    MAX_USES,
    CreateOrphan,
    CreateToken,
    ListAccessors,
    LookupAccessor,
    LookupSelf,
    RenewAccessor,
    RenewSelf,
    RevokeAccessor,
    RevokeSelf,
    TokenInfo,
    TokenIssued,
)

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.wire import SECOND, Answer, Body, Seconds, ShownOnce, nanoseconds, rfc3339


class Token(msgspec.Struct, kw_only=True):
    """A token without the token. ``ttl_seconds`` null: it does not expire; ``max_ttl_seconds`` 0: no bound."""

    id: str
    name: str
    method: str
    policies: list[str]
    accessor: str
    created_at: str | None
    expires_at: str | None
    ttl_seconds: int | None
    max_ttl_seconds: int
    renewable: bool
    uses_left: int


class MadeToken(Token, kw_only=True):
    """A token and its bounds: 0 in ``period_seconds`` and ``explicit_max_ttl_seconds``: none; in ``uses_left``: none.

    ``orphan``: no other token's end is its own. ``networks``: where it may be used; empty: anywhere.
    """

    period_seconds: int
    explicit_max_ttl_seconds: int
    orphan: bool
    networks: list[str]
    meta: dict[str, str]


class Accessors(msgspec.Struct):
    """The accessors of all tokens that have not ended, oldest first."""

    accessors: list[str]


_Name = Annotated[str, msgspec.Meta(max_length=128)]


class TokenRequest(Body):
    """A token of mine. Without ``policies``: mine. ``uses`` 0: without limit.

    Durations of null: 32 days, and no other bound. With ``orphan`` it does not end with mine.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] = "token"
    policies: list[str] | None = None
    ttl_seconds: Seconds | None = None
    period_seconds: Seconds | None = None
    explicit_max_ttl_seconds: Seconds | None = None
    uses: Annotated[int, msgspec.Meta(ge=0, le=MAX_USES)] = 0
    renewable: bool = True
    orphan: bool = False
    meta: dict[_Name, Annotated[str, msgspec.Meta(max_length=512)]] = msgspec.field(default_factory=dict)


class IssuedToken(ShownOnce, kw_only=True):
    """A new token; ``token`` is shown here once and never again: null when the request is repeated."""

    once = ("token",)
    token: str | None
    info: Token


class Keys(msgspec.Struct):
    """All API keys of the namespace."""

    keys: list[Token]


class KeyRequest(Body):
    """A new API key. Without ``ttl_seconds`` it does not expire."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    policies: list[str]
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=100 * 366 * 86_400)] | None = None


class Renewal(Body):
    """How long the token shall live from now; without it, its first time to live again."""

    ttl_seconds: Seconds | None = None


def token(info: TokenInfo) -> Token:
    """As it is answered."""
    principal = info.principal
    return Token(
        id=principal.id,
        name=principal.name,
        method=principal.method,
        policies=list(principal.policies),
        accessor=principal.accessor,
        created_at=rfc3339(principal.created_at),
        expires_at=rfc3339(principal.expires_at),
        ttl_seconds=None if principal.expires_at is None else info.ttl // SECOND,
        max_ttl_seconds=info.max_ttl // SECOND,
        renewable=info.renewable,
        uses_left=info.uses_left,
    )


def made(info: TokenInfo) -> MadeToken:
    """A token with its bounds, as it is answered."""
    return MadeToken(
        **msgspec.structs.asdict(token(info)),
        period_seconds=info.period // SECOND,
        explicit_max_ttl_seconds=info.explicit_max_ttl // SECOND,
        orphan=info.orphan,
        networks=list(info.principal.networks),
        meta=dict(info.meta),
    )


def issued(given: TokenIssued) -> IssuedToken:
    """A new token as it is answered, once."""
    return IssuedToken(token=given.token, info=token(given.info))


def _token_answer(outcome: Outcome[TokenInfo]) -> Answer:
    return Answer(token(outcome.result))


def issued_answer(outcome: Outcome[TokenIssued]) -> Answer:
    """The new token."""
    return Answer(issued(outcome.result))


def _keys_answer(outcome: Outcome[tuple[TokenInfo, ...]]) -> Answer:
    return Answer(Keys([token(info) for info in outcome.result]))


def _made_answer(outcome: Outcome[TokenInfo]) -> Answer:
    return Answer(made(outcome.result))


def _accessors_answer(outcome: Outcome[tuple[str, ...]]) -> Answer:
    return Answer(Accessors(list(outcome.result)))


def _create(call: Call) -> CreateToken:
    given: TokenRequest = call.body
    kind = CreateOrphan if given.orphan else CreateToken
    return kind(
        display_name=given.name,
        policies=None if given.policies is None else tuple(given.policies),
        ttl=nanoseconds(given.ttl_seconds),
        period=nanoseconds(given.period_seconds),
        explicit_max_ttl=nanoseconds(given.explicit_max_ttl_seconds),
        uses=given.uses,
        renewable=given.renewable,
        meta=given.meta,
    )


ROUTES = (
    Route(
        method="GET", pattern="token", summary="What is my token?", response=Token,
        operation=lambda _call: LookupSelf(), answer=_token_answer,
    ),
    Route(
        method="POST", pattern="token/renew", summary="Let my token live longer.", request=Renewal, response=Token,
        operation=lambda call: RenewSelf(increment=nanoseconds(call.body.ttl_seconds)), answer=_token_answer,
    ),
    Route(
        method="POST", pattern="token/revoke", summary="End my token now.",
        operation=lambda _call: RevokeSelf(), answer=no_content,
    ),
    Route(
        method="POST", pattern="tokens", summary="Make a token that ends with mine, or an orphan.", status=201,
        request=TokenRequest, response=IssuedToken, operation=_create, answer=issued_answer,
    ),
    Route(
        method="GET", pattern="tokens", summary="The accessors of all tokens.", response=Accessors,
        operation=lambda _call: ListAccessors(), answer=_accessors_answer,
    ),
    Route(
        method="GET", pattern="tokens/{name}", summary="A token, by its accessor.", response=MadeToken,
        operation=lambda call: LookupAccessor(accessor=str(call.path)), answer=_made_answer,
    ),
    Route(
        method="POST", pattern="tokens/{name}/renew", summary="Let a token live longer, by its accessor.",
        request=Renewal, response=MadeToken, answer=_made_answer,
        operation=lambda call: RenewAccessor(
            accessor=str(call.path), increment=nanoseconds(call.body.ttl_seconds)
        ),
    ),
    Route(
        method="DELETE", pattern="tokens/{name}", summary="End a token and all it made, by its accessor.",
        operation=lambda call: RevokeAccessor(accessor=str(call.path)), answer=no_content,
    ),
    Route(
        method="GET", pattern="keys", summary="All API keys, without their tokens.", response=Keys,
        operation=lambda _call: ListKeys(), answer=_keys_answer,
    ),
    Route(
        method="POST", pattern="keys", summary="Issue an API key.", status=201,
        request=KeyRequest, response=IssuedToken,
        operation=lambda call: CreateKey(
            key_name=call.body.name, policies=tuple(call.body.policies), ttl=nanoseconds(call.body.ttl_seconds)
        ),
        answer=issued_answer,
    ),
    Route(
        method="GET", pattern="keys/{name}", summary="One API key by its id.", response=Token,
        operation=lambda call: ReadKey(path=KEYS.joined(call.path)), answer=_token_answer,
    ),
    Route(
        method="DELETE", pattern="keys/{name}", summary="Revoke an API key now.",
        operation=lambda call: RevokeKey(path=KEYS.joined(call.path)), answer=no_content,
    ),
)  # fmt: skip
