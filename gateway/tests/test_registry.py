"""Only named plugins are loaded, and no clash is resolved in silence."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from wardgate.registry import Registry, installed
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import Claims
from wardgate.spi.hookspecs import BackendType, FrontendType, hookimpl

Install = Callable[..., None]


def never(*_: Any) -> Any:
    """Opens nothing: these types are only described."""
    raise NotImplementedError


def plugin(
    backends: tuple[str, ...] = (),
    claims: str | None = None,
    *,
    frontend: str = "",
    shows: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> object:
    """A plugin's module that offers these backend types and a front-end with that claim, named like it by default."""

    @hookimpl
    def backend_type() -> list[BackendType]:
        return [BackendType(name=name, help="", open=never) for name in backends]

    @hookimpl
    def frontend_type() -> list[FrontendType]:
        if claims is None:
            return []
        named = frontend or claims or "unnamed"
        return [FrontendType(name=named, help="", claims=Claims((claims,)), open=never, presentations=shows)]

    return SimpleNamespace(backend_type=backend_type, frontend_type=frontend_type)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Pretend that distributions with these (name, module) entry points are installed."""

    def pretend(*points: tuple[str, object]) -> None:
        made = [
            SimpleNamespace(name=name, load=lambda module=module: module, dist=SimpleNamespace(name=f"dist-{index}"))
            for index, (name, module) in enumerate(points)
        ]

        def entry_points(*, group: str, name: str | None = None) -> list[Any]:
            assert group == "wardgate.plugins"
            return [point for point in made if name in {None, point.name}]

        monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)

    return pretend


def test_named_plugins_offer_their_types_and_others_are_not_loaded(install: Install) -> None:
    """What is installed and not named is not imported."""
    install(("native", plugin(("native",), "/api/v1/")), ("evil", None))
    registry = Registry.load(["native"])
    assert ("native",) == registry.plugins
    assert {"native"} == set(registry.backend_types)
    assert {"/api/v1/"} == set(registry.frontend_types)


def test_an_unknown_plugin_is_refused_with_the_nearest_name(install: Install) -> None:
    """A typing mistake is answered with what was meant."""
    install(("native", plugin()), ("vault", plugin()))
    with pytest.raises(InvalidValue, match="no plugin named 'valt'; did you mean 'vault'"):
        Registry.load(["valt"])


def test_a_plugin_for_tests_is_loaded_by_its_name_and_shown_to_nobody(install: Install) -> None:
    """An underscore begins it; neither a list nor a suggestion has it."""
    install(("_odd", plugin(("odd",))), ("store", plugin()))
    assert ("store",) == installed()
    assert {"odd"} == set(Registry.load(["_odd"]).backend_types)
    with pytest.raises(InvalidValue, match="there is no plugin named 'odd'; there are: store"):
        Registry.load(["odd"])


def test_two_installed_plugins_of_one_name_are_refused(install: Install) -> None:
    """Pluggy would keep the first and say nothing."""
    install(("vault", plugin()), ("vault", plugin()))
    with pytest.raises(InvalidValue, match=r"two plugins are named 'vault' \(dist-0, dist-1\)"):
        Registry.load(["vault"])


def test_two_plugins_that_offer_one_type_are_refused(install: Install) -> None:
    """A later plugin cannot take over an earlier one's backend."""
    install(("one", plugin(("kv",))), ("two", plugin(("kv",))))
    with pytest.raises(InvalidValue, match="'one' and 'two' both offer the backend 'kv'"):
        Registry.load(["one", "two"])


@pytest.mark.parametrize(("first", "second"), [("/v1/", "/v1/"), ("/v1/", "/v1/projects/")])
def test_overlapping_claims_are_refused(install: Install, first: str, second: str) -> None:
    """Two wire APIs cannot answer one path, whichever claims more of it."""
    install(("one", plugin(claims=first)), ("two", plugin(claims=second, frontend="another")))
    with pytest.raises(InvalidValue, match="both claim"):
        Registry.load(["one", "two"])


@pytest.mark.parametrize("claim", ["/livez", "/readyz/", "/metrics", "/", "", "/m"])
def test_what_the_gateway_itself_answers_cannot_be_claimed(install: Install, claim: str) -> None:
    """Neither it alone, of which such a front-end would never be asked, nor with all that lies around it."""
    install(("one", plugin(claims=claim)))
    with pytest.raises(InvalidValue, match="the gateway itself answers"):
        Registry.load(["one"])


def test_two_front_ends_that_show_mounts_by_one_key_are_refused(install: Install) -> None:
    """Else the values of the last one would be the only ones that a mount can have."""
    install(
        ("one", plugin(claims="/v1/", frontend="first", shows={"vault.kv": ("1", "2")})),
        ("two", plugin(claims="/v2/", frontend="second", shows={"vault.kv": ("3",)})),
    )
    with pytest.raises(InvalidValue, match=r"'first' and 'second' both show mounts by 'vault\.kv'"):
        Registry.load(["one", "two"])


def test_a_plugin_that_cannot_be_imported_is_one_sentence(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its import raises, the operator reads which plugin and why."""

    def entry_points(*, group: str, name: str | None = None) -> list[Any]:
        def load() -> object:
            raise ImportError("no module named x")

        return [SimpleNamespace(name="broken", load=load, dist=None, value="broken:x")]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    with pytest.raises(InvalidValue, match="plugin 'broken' cannot be loaded: ImportError: no module named x"):
        Registry.load(["broken"])
