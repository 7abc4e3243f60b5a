"""The fields of an AppRole role, each at a path of its own: ``auth/approle/role/<name>/token-ttl`` and the like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations.approle import ReadRole, Role
from wardgate.spi.operations.base import Action

from wardgate_vault.api import wire
from wardgate_vault.api.approle import ROLE, changed, rewrite, role_of, shown
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, one_error
from wardgate_vault.api.errors import refusing
from wardgate_vault.api.request import Handler, Request
from wardgate_vault.api.services import Route

_UNSET = Role(name="")
_LIST = "bound_cidr_list"
_OF_OLD = f'The "{_LIST}" field is deprecated and will be removed. Please use "secret_id_bound_cidrs" instead.'


class _Field(NamedTuple):
    """``shown``: its name in the role, and in a body; ``kept``: of ``Role``; ``older``: another name in a body.

    ``missing``: a body without any is told the older one.
    """

    shown: str
    kept: str
    older: str = ""
    missing: bool = False


_FIELDS: Mapping[str, _Field] = {
    "bind-secret-id": _Field("bind_secret_id", "bind_secret_id"),
    "period": _Field("token_period", "token_period", "period", missing=True),
    "policies": _Field("token_policies", "policies", "policies"),
    "secret-id-bound-cidrs": _Field("secret_id_bound_cidrs", "secret_id_networks"),
    "secret-id-num-uses": _Field("secret_id_num_uses", "secret_id_uses"),
    "secret-id-ttl": _Field("secret_id_ttl", "secret_id_ttl"),
    "token-bound-cidrs": _Field("token_bound_cidrs", "token_networks"),
    "token-max-ttl": _Field("token_max_ttl", "token_max_ttl"),
    "token-num-uses": _Field("token_num_uses", "token_uses"),
    "token-ttl": _Field("token_ttl", "token_ttl"),
}
_OLDEST = _Field("secret_id_bound_cidrs", "secret_id_networks", _LIST, missing=True)
"""The one that has its older name alone at its path, and is told to be of old."""


def _reading(field: _Field) -> Handler:
    async def read(request: Request) -> Answer:
        value = await _value(request, field)
        # Vault has the older name beside the newer where it was written so, which is not kept here.
        names = (field.older, field.shown) if field.older and value else (field.shown,)
        return envelope(request.id, encode(dict.fromkeys(names, value)))

    return read


async def _read_oldest(request: Request) -> Answer:
    return envelope(request.id, encode({_LIST: await _value(request, _OLDEST)}), warnings=(_OF_OLD,))


async def _value(request: Request, field: _Field) -> object:
    path, _ = role_of(request)
    return shown((await request.perform(ReadRole(path=path))).result)[field.shown]


def _writing(field: _Field) -> Handler:
    async def write(request: Request) -> Answer:
        path, name = role_of(request)
        with refusing(Action.MANAGE, path):
            given, _ = wire.decode(await request.body(), wire.WriteRole)
            named = {each: getattr(given, each) for each in (field.shown, field.older) if each}
            if all(value is None for value in named.values()):
                raise InvalidValue(f"missing {field.older if field.missing else field.shown}")
            asked = wire.WriteRole(**named)
            changed(Role(name=name), asked, whole=False)
        try:
            await rewrite(request, path, lambda known: changed(known, asked))
        except SecretNotFound:
            return one_error(404, "unsupported path")
        return NO_CONTENT

    return write


def _resetting(field: _Field) -> Handler:
    async def reset(request: Request) -> Answer:
        path, _ = role_of(request)
        unset = {field.kept: getattr(_UNSET, field.kept)}
        try:
            await rewrite(request, path, lambda known: changed(replace(known, **unset), wire.WriteRole()))
        except SecretNotFound:
            return NO_CONTENT
        return NO_CONTENT

    return reset


async def _local_secret_ids(request: Request) -> Answer:
    path, _ = role_of(request)
    await request.perform(ReadRole(path=path))
    return envelope(request.id, encode({"local_secret_ids": False}))


ROUTES = (
    *(
        Route(
            (*ROLE, name),
            {"read": _reading(field), "write": _writing(field), "delete": _resetting(field)},
        )
        for name, field in _FIELDS.items()
    ),
    Route(
        (*ROLE, "bound-cidr-list"),
        {"read": _read_oldest, "write": _writing(_OLDEST), "delete": _resetting(_OLDEST)},
    ),
    Route((*ROLE, "local-secret-ids"), {"read": _local_secret_ids}),
)
