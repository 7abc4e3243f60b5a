"""Which rights the mount's credential has, asked about a name that no secret has: what is allowed finds nothing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from wardgate.spi import probing
from wardgate.spi.backend import Health, Permission

from wardgate_azure.client import Client


async def permissions(client: Client) -> Sequence[Permission]:
    """Every right with whether it is granted. Raises Unauthenticated, RateLimited and Unavailable."""
    nobody = _nobody()

    async def names(sdk: Any) -> None:
        await anext(sdk.list_properties_of_secrets(max_page_size=1).by_page())

    return await probing.permissions((
        ("get", ("read", "write", "labels", "delete"), lambda: client.ask(lambda sdk: sdk.get_secret(nobody))),
        ("list", ("list", "describe", "labels", "versions", "stages"), lambda: client.ask(names)),
        ("set", ("write",), lambda: client.send("PUT", f"secrets/{nobody}", {})),
        ("update", ("labels", "stages"), lambda: client.ask(
            lambda sdk: sdk.update_secret_properties(nobody, secrets.token_hex(16), tags={}))),
        ("delete", ("delete", "destroy"), lambda: client.send("DELETE", f"secrets/{nobody}")),
        ("recover", ("undelete",), lambda: client.send("POST", f"deletedsecrets/{nobody}/recover")),
        ("purge", ("destroy",), lambda: client.send("DELETE", f"deletedsecrets/{nobody}")),
    ))  # fmt: skip


async def health(client: Client) -> Health:
    """Whether the vault answers, and accepts the credential."""
    return await probing.health(lambda: client.ask(lambda sdk: sdk.get_secret(_nobody())))


def _nobody() -> str:
    return f"wardgate-probe-{secrets.token_hex(16)}"
