"""One request of every operation that the road records, made from what its class declares.

A class that is new is in the list by itself. One whose fields hold what ``SAMPLES`` does not know stops the tests with
its name: add a sample.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from wardgate.spi import operations
from wardgate.spi.errors import Malformed, WardgateError
from wardgate.spi.operations.approle import Role
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Policy
from wardgate.spi.operations.secrets import Ordinal
from wardgate.spi.path import Path
from wardgate.spi.values import Value

PATH = Path(("secret", "db"))
SAMPLES: Mapping[object, object] = {
    Path: PATH,
    str: "x",
    bytes: b"x",
    Value: Value(b"new"),
    Action: Action.READ,
    Ordinal: Ordinal(1),
    Role: Role("x"),
    Policy: Policy("x", ()),
    WardgateError: Malformed("no JSON"),
}


def kinds() -> frozenset[type[Operation[Any]]]:
    """Every operation class of the interface that a request can have: those that say their action."""
    names = [f"{operations.__name__}.{module.name}" for module in pkgutil.iter_modules(operations.__path__)]
    found = [one for name in names for one in vars(importlib.import_module(name)).values()]
    classes = [one for one in found if isinstance(one, type) and issubclass(one, Operation)]
    return frozenset(one for one in classes if hasattr(one, "action"))


def sample(kind: type[Operation[Any]]) -> Operation[Any]:
    """One operation: of each field that has no default, a sample. Raises LookupError where there is none."""
    hints = typing.get_type_hints(kind)
    try:
        needed = {field.name: _of(hints[field.name]) for field in _without_default(kind)}
    except KeyError as error:
        raise LookupError(f"{kind.__name__} has a field of {error}: add a sample of it") from None
    return kind(**needed)


def _without_default(kind: type[Operation[Any]]) -> Iterator[dataclasses.Field[Any]]:
    for field in dataclasses.fields(kind):
        if field.default is field.default_factory is dataclasses.MISSING:
            yield field


def _of(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return None if type(None) in inner else _of(inner[0])
    if origin is tuple:
        return (_of(inner[0]),)
    if origin is Mapping:
        return {}
    if isinstance(hint, type) and issubclass(hint, Operation):
        return sample(hint)
    return SAMPLES[hint]


EVERY = tuple(sample(kind) for kind in sorted(kinds(), key=lambda kind: kind.__name__) if kind.audited)
