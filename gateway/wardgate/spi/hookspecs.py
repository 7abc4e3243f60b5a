"""What a plugin can offer. Hooks describe, objects do the work.

A plugin is a module named by an entry point of the group ``wardgate.plugins``; it implements any of these hooks with
``@hookimpl``, and each returns a list of types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pluggy

from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Declaration
from wardgate.spi.frontend import Claims, Frontend, Gateway
from wardgate.spi.identity import Authenticator
from wardgate.spi.services import Services

PROJECT = "wardgate"
ENTRY_POINT_GROUP = "wardgate.plugins"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class NoOptions:
    """For types that have nothing to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendType:
    """A kind of store. ``open`` gets its parsed ``options`` dataclass; it raises Unavailable or InvalidValue.

    ``declarations``: what its stores can do, one for each kind that its options choose between.
    ``embedded``: all it keeps is in ``services.storage``, so that after a crash the audit can tell whether a change
    was made.
    """

    name: str
    help: str
    open: Callable[[Any, Services], Backend]
    options: type = NoOptions
    status: str = "stable"
    embedded: bool = False
    declarations: tuple[Declaration, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendType:
    """A wire API. ``presentations``: how a mount can be shown by it, each key with its possible values."""

    name: str
    help: str
    claims: Claims
    open: Callable[[Any, Gateway], Frontend]
    options: type = NoOptions
    status: str = "stable"
    presentations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorType:
    """A way to prove who one is. It is asked after the gateway's own tokens, in every namespace.

    ``open`` gets its parsed ``options`` dataclass, and services of the root namespace; it raises InvalidValue.
    """

    name: str
    help: str
    open: Callable[[Any, Services], Authenticator]
    options: type = NoOptions
    status: str = "stable"


class Hooks:
    """The hooks of a plugin, each optional."""

    @hookspec
    def backend_type(self) -> Sequence[BackendType]:
        """Kinds of stores this plugin speaks to."""
        raise NotImplementedError

    @hookspec
    def frontend_type(self) -> Sequence[FrontendType]:
        """Wire APIs this plugin answers."""
        raise NotImplementedError

    @hookspec
    def authenticator_type(self) -> Sequence[AuthenticatorType]:
        """Credentials this plugin understands."""
        raise NotImplementedError
