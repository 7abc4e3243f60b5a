"""What a store's own answers say of a mount: whether it can be reached, and which rights its credential lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import fields

from wardgate.spi.backend import Backend, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import PermissionDenied, Unavailable, WardgateError

READ = "read"
"""What every backend does, and no capability names."""


async def ask(backend: Backend, *, seconds: float) -> tuple[Permission, ...]:
    """What the store says of its mount's credential, asked for so long.

    Raises:
        Unavailable: it does not answer, not in time, or not what was asked: it cannot be told how it does.
        PermissionDenied: it does not accept the credential.
    """
    error: WardgateError
    try:
        async with asyncio.timeout(seconds):
            return tuple(await backend.probe())
    except TimeoutError:
        error = Unavailable("the store did not answer in time")
    except PermissionDenied as said:
        error = PermissionDenied(said.message)
    except WardgateError as said:
        error = Unavailable(said.message)
    raise error


def missing(
    permissions: Iterable[Permission], capabilities: Capabilities, *, reading: bool = False
) -> tuple[Permission, ...]:
    """The permissions that are refused and needed: for what is declared, or with ``reading`` for that alone."""
    needed = {READ}
    if not reading:
        needed.update(field.name for field in fields(capabilities) if getattr(capabilities, field.name) is True)
    return tuple(one for one in permissions if one.granted is False and one.needed_for & needed)


def doubt(permissions: Collection[Permission]) -> str:
    """What else may be the reason where the store refuses all that it tells of."""
    told = [one.granted for one in permissions if one.granted is not None]
    return (
        " (all that the store tells of, so that the credential itself may be wrong)" if told and not any(told) else ""
    )


def sentence(permissions: Iterable[Permission]) -> str:
    """Their names, each with what it is needed for."""
    return "; ".join(f"{one.name} (for {', '.join(sorted(one.needed_for))})" for one in permissions)


def names(permissions: Iterable[Permission]) -> str:
    """Their names alone."""
    return ", ".join(one.name for one in permissions)
