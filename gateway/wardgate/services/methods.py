"""The ways to log in, at ``auth/``: what there is, and which are made, tuned and removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from wardgate.context import Context
from wardgate.services.names import check_name, is_text, name_below
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import MAX_TEXT
from wardgate.spi.operations.methods import (
    METHODS,
    TOKEN,
    TYPES,
    DisableMethod,
    EnableMethod,
    ListMethods,
    ListVisibleMethods,
    MethodInfo,
    ReadMethod,
    TuneMethod,
)
from wardgate.spi.options import nearest
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.state import State
from wardgate.state.lives import check_leases
from wardgate.state.tokens import new_id


class MethodsService:
    """Keeps the login methods of a namespace."""

    def __init__(self, state: State, clock: Clock, *, reaches: Callable[[Principal, Path, Arrival], bool]) -> None:
        self._methods = state.methods
        self._clock = clock
        self._reaches = reaches
        self.handlers: Handlers = {
            ListMethods: self.list,
            ListVisibleMethods: self.list_visible,
            ReadMethod: self.read,
            EnableMethod: self.enable,
            TuneMethod: self.tune,
            DisableMethod: self.disable,
        }

    async def list(self, context: Context, _operation: ListMethods) -> tuple[MethodInfo, ...]:
        """All of them, by name."""
        return tuple(self._methods.of(context.namespace).values())

    async def list_visible(self, context: Context, _operation: ListVisibleMethods) -> tuple[MethodInfo, ...]:
        """Those the asker may do anything at all below, without description or TTLs."""
        principal = asker(context)
        return tuple(
            MethodInfo(info.id, info.name, info.type)
            for info in self._methods.of(context.namespace).values()
            if self._reaches(principal, Path(("auth", info.name)), context.arrival)
        )

    async def read(self, context: Context, operation: ReadMethod) -> MethodInfo:
        """One. Raises SecretNotFound."""
        return self._methods.at(context.namespace, name_below(operation.path, METHODS))

    async def enable(self, context: Context, operation: EnableMethod) -> MethodInfo:
        """Begin a method, which has no roles yet.

        Raises:
            AlreadyExists: there is one of that name, in any spelling of its case.
            InvalidValue: a type, a name, a text or a TTL that cannot be; or there are too many.
        """
        if operation.type not in TYPES:
            raise InvalidValue(
                f"unknown type of login methods {operation.type[:80]!r}{nearest(operation.type[:80], TYPES)}"
            )
        name = name_below(operation.path, METHODS)
        check_name("method's name", name)
        method = MethodInfo(
            new_id(),
            name,
            operation.type,
            operation.description,
            operation.default_lease_ttl,
            operation.max_lease_ttl,
            self._clock.now(),
        )
        _check(method)
        await self._methods.enable(context.namespace, method)
        return method

    async def tune(self, context: Context, operation: TuneMethod) -> MethodInfo:
        """Change how a method is described and how long its tokens live; those there are keep what they were given.

        Raises:
            SecretNotFound: there is none.
            InvalidValue: a text or a TTL that cannot be.
        """
        name = name_below(operation.path, METHODS)
        return await self._methods.tune(context.namespace, name, partial(_tuned, operation))

    async def disable(self, context: Context, operation: DisableMethod) -> None:
        """End a method, its roles, their secret ids, and the tokens they brought, in every worker.

        Raises:
            SecretNotFound: there is none.
            InvalidValue: it is that of tokens.
        """
        name = name_below(operation.path, METHODS)
        if name == TOKEN:
            raise InvalidValue(f"{TOKEN}/ cannot be disabled: every token is used there")
        await self._methods.disable(context.namespace, name)


def _tuned(operation: TuneMethod, method: MethodInfo) -> MethodInfo:
    given: dict[str, Any] = {
        "description": operation.description,
        "default_lease_ttl": operation.default_lease_ttl,
        "max_lease_ttl": operation.max_lease_ttl,
    }
    tuned = replace(method, **{name: value for name, value in given.items() if value is not None})
    _check(tuned)
    return tuned


def _check(method: MethodInfo) -> None:
    if not is_text(method.description):
        raise InvalidValue(f"a description has at most {MAX_TEXT} printable characters")
    check_leases(method.default_lease_ttl, method.max_lease_ttl)
