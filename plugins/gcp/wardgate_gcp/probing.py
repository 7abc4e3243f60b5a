"""Which rights the mount's credential has, asked on names that cannot be there: nothing is changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from wardgate.spi import probing
from wardgate.spi.backend import Health, Permission

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


async def permissions(client: Client, parent: str) -> Sequence[Permission]:
    """Every right with whether it is granted on the project; one that is granted on single secrets shows as not.

    Raises Unauthenticated, RateLimited and Unavailable.
    """
    nobody = _nobody(parent)
    asked = ((right, uses, partial(client.ask, call, _request(call, parent, nobody))) for call, right, uses in NEEDED)
    # To ask for this one would be to make a secret.
    return await probing.permissions([*asked, ("secretmanager.secrets.create", ("write", "labels"), None)])


async def health(client: Client, parent: str) -> Health:
    """Whether the service answers, and accepts the credential."""
    return await probing.health(lambda: client.ask("get_secret", {"name": _nobody(parent)}))


def _nobody(parent: str) -> str:
    return f"{parent}/secrets/wardgate-probe-{secrets.token_hex(16)}"


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
