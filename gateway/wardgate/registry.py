"""The plugins the operator named, and the types they offer; clashes are refused, never resolved in silence."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

import pluggy

from wardgate.spi.errors import InvalidValue
from wardgate.spi.hookspecs import ENTRY_POINT_GROUP, PROJECT, AuthenticatorType, BackendType, FrontendType, Hooks
from wardgate.spi.options import nearest
from wardgate.type_options import AUTHENTICATOR, FRONTEND, TypeOptions

OWN = ("/livez", "/readyz", "/metrics")
"""What the gateway itself answers, before or beside every front-end."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def installed() -> tuple[str, ...]:
    """The names of the plugins that are installed; none is imported. ``_name`` is for tests, and shown to nobody."""
    names = {point.name for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}
    return tuple(sorted(name for name in names if not name.startswith("_")))


def _the_only(name: str) -> importlib.metadata.EntryPoint:
    # pluggy's own loader keeps the first of two equal names and says nothing.
    found = tuple(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP, name=name))
    if not found:
        raise InvalidValue(f"there is no plugin named {name!r}{nearest(name, installed())}")
    if len(found) > 1:
        owners = ", ".join(sorted(point.dist.name if point.dist else point.value for point in found))
        raise InvalidValue(f"two plugins are named {name!r} ({owners}); uninstall one")
    return found[0]


def _by_name(kind: str, offers: Iterable[tuple[str, Sequence[T]]]) -> Mapping[str, T]:
    """Types by their name; ``offers`` pairs a plugin's name with what its hook returned."""
    types: dict[str, T] = {}
    owners: dict[str, str] = {}
    for plugin, offered in offers:
        for offer in offered:
            if offer.name in types:
                raise InvalidValue(
                    f"plugins {owners[offer.name]!r} and {plugin!r} both offer the {kind} {offer.name!r}; name only one"
                )
            types[offer.name] = offer
            owners[offer.name] = plugin
    return MappingProxyType(types)


def _check_claims(frontends: Mapping[str, FrontendType]) -> None:
    claimed = [(prefix, name) for name, frontend in frontends.items() for prefix in frontend.claims.path_prefixes]
    for prefix, name in claimed:
        if any(_overlap(prefix, own) for own in OWN):
            raise InvalidValue(
                f"front-end {name!r} claims {prefix!r}, where the gateway itself answers; do not load it"
            )
        for other, owner in claimed:
            if name < owner and _overlap(prefix, other):
                raise InvalidValue(f"front-ends {name!r} and {owner!r} both claim {prefix}; load only one of them")


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _check_presentations(frontends: Mapping[str, FrontendType]) -> None:
    owners: dict[str, str] = {}
    for name, frontend in frontends.items():
        for key in frontend.presentations:
            if key in owners:
                raise InvalidValue(
                    f"front-ends {owners[key]!r} and {name!r} both show mounts by {key!r}; load only one of them"
                )
            owners[key] = name


@dataclass(frozen=True, slots=True)
class Registry:
    """What the loaded plugins offer, by type name."""

    plugins: tuple[str, ...]
    backend_types: Mapping[str, BackendType]
    frontend_types: Mapping[str, FrontendType]
    authenticator_types: Mapping[str, AuthenticatorType]

    @property
    def presentations(self) -> Mapping[str, tuple[str, ...]]:
        """How the front-ends can show a mount: each key with its possible values."""
        return {key: values for kind in self.frontend_types.values() for key, values in kind.presentations.items()}

    def options(self, given: TypeOptions) -> tuple[Mapping[str, object], Mapping[str, object]]:
        """The parsed options of each front-end and of each authenticator, by its name. Raises InvalidValue."""
        return given.parsed(FRONTEND, self.frontend_types), given.parsed(AUTHENTICATOR, self.authenticator_types)

    @classmethod
    def load(cls, names: Iterable[str]) -> Registry:
        """Import the named plugins, and no others.

        Raises:
            InvalidValue: a plugin is not installed, installed twice, cannot be imported, or clashes with another.
        """
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(Hooks)
        names = tuple(dict.fromkeys(names))
        for name in names:
            point = _the_only(name)
            try:
                manager.register(point.load(), name=name)
            except Exception as error:  # whatever a stranger's import raises, the operator needs one sentence
                raise InvalidValue(f"plugin {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
        frontends: Mapping[str, FrontendType] = _by_name("front-end", _offers(manager, names, "frontend_type"))
        _check_claims(frontends)
        _check_presentations(frontends)
        return cls(
            plugins=names,
            backend_types=_by_name("backend", _offers(manager, names, "backend_type")),
            frontend_types=frontends,
            authenticator_types=_by_name("authenticator", _offers(manager, names, "authenticator_type")),
        )


def _offers(manager: pluggy.PluginManager, names: Sequence[str], hook: str) -> list[tuple[str, Sequence[T]]]:
    implementations = {impl.plugin_name: impl for impl in getattr(manager.hook, hook).get_hookimpls()}
    return [(name, implementations[name].function()) for name in names if name in implementations]
