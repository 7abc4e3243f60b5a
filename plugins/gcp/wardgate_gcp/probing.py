"""Which rights the mount's credential has, asked on names that cannot be there: nothing is changed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wardgate.spi.backend import Permission
from wardgate.spi.errors import Conflict, InvalidValue, PermissionDenied, SecretNotFound

from wardgate_gcp.errors import NOT_ACCEPTED

if TYPE_CHECKING:
    from wardgate_gcp.client import Client

NEEDED: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("access_secret_version", "secretmanager.versions.access", ("read", "versions")),
    ("add_secret_version", "secretmanager.versions.add", ("write",)),
    ("get_secret", "secretmanager.secrets.get", ("describe", "labels", "stages")),
    ("list_secret_versions", "secretmanager.versions.list", ("describe", "delete")),
    ("get_secret_version", "secretmanager.versions.get", ("stages",)),
    ("list_secrets", "secretmanager.secrets.list", ("list",)),
    ("update_secret", "secretmanager.secrets.update", ("labels", "stages")),
    ("disable_secret_version", "secretmanager.versions.disable", ("delete", "delete_versions")),
    ("enable_secret_version", "secretmanager.versions.enable", ("undelete",)),
    ("destroy_secret_version", "secretmanager.versions.destroy", ("destroy_versions",)),
    ("delete_secret", "secretmanager.secrets.delete", ("destroy",)),
)
"""A call, the right it takes, and what fails without it."""


async def permissions(client: Client, parent: str) -> list[Permission]:
    """Every right with whether it is granted on the project; one that is granted on single secrets shows as not.

    Raises:
        Unavailable: the service cannot be reached.
        PermissionDenied: it does not accept the credential at all.
    """
    secret = f"{parent}/secrets/wardgate-probe-{secrets.token_hex(16)}"
    granted = await asyncio.gather(*(_granted(client, call, _request(call, parent, secret)) for call, _, _ in NEEDED))
    told = [
        Permission(name=right, needed_for=frozenset(uses), granted=answer)
        for (_, right, uses), answer in zip(NEEDED, granted, strict=True)
    ]
    # To ask for this one would be to make a secret.
    unknown = Permission(name="secretmanager.secrets.create", needed_for=frozenset({"write", "labels"}), granted=None)
    return [*told, unknown]


async def _granted(client: Client, call: str, request: dict[str, Any]) -> bool | None:
    try:
        await client.ask(call, request)
    except PermissionDenied as error:
        if error.message == NOT_ACCEPTED:
            raise
        return False
    except SecretNotFound:
        return True
    except (InvalidValue, Conflict):
        return None  # whether the right or the request is looked at first is not said
    return True


def _request(call: str, parent: str, secret: str) -> dict[str, Any]:
    if call == "list_secrets":
        return {"parent": parent, "page_size": 1}
    if call == "list_secret_versions":
        return {"parent": secret, "page_size": 1}
    if call == "add_secret_version":
        return {"parent": secret, "payload": {"data": b"-"}}
    if call == "update_secret":
        return {"secret": {"name": secret}, "update_mask": {"paths": ["annotations"]}}
    return {"name": secret if call.endswith("_secret") else f"{secret}/versions/1"}
