"""Where Vault's paths and the gateway's operations meet: which capabilities at which path make which action."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action

from wardgate_vault.acl.globs import ONE, REST
from wardgate_vault.presentation import FIRST, PRESENTATION, SHOWN_AS

Need = tuple[tuple[str, ...], frozenset[str]]
"""A template of Vault's paths, and all the capabilities that are needed there."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An action at a path of the gateway, and all that Vault would need for it.

    ``target``: with as many holes as each template of ``needs``. ``folder``: what is listed is a folder. ``tied``: a
    word of Vault's own for what this action does too, at the one template there is; rules cannot tell the two apart.
    """

    action: Action
    target: tuple[str, ...]
    needs: tuple[Need, ...]
    folder: bool = False
    tied: str = ""


def grants_of(mounts: Iterable[MountView]) -> tuple[Grant, ...]:
    """All there are: those of the gateway itself, and those of each mount as it is shown."""
    found = list(_SERVICES)
    for mount in mounts:
        prefix = mount.prefix.segments
        version = mount.presentation.get(PRESENTATION, SHOWN_AS)
        found += _first(prefix) if version == FIRST else _second(prefix)
    return tuple(found)


def _first(prefix: tuple[str, ...]) -> list[Grant]:
    here = (*prefix, REST)
    plain = {
        Action.READ: ("read",), Action.WRITE: ("create", "update"), Action.DELETE: ("delete",),
        Action.DESTROY: ("delete",),
    }  # fmt: skip
    grants = [Grant(action, here, ((here, frozenset(needed)),)) for action, needed in plain.items()]
    return [*grants, Grant(Action.LIST, here, ((here, frozenset({"list"})),), folder=True, tied="scan")]


def _second(prefix: tuple[str, ...]) -> list[Grant]:
    here = (*prefix, REST)

    def need(kind: str, *capabilities: str) -> Need:
        return (*prefix, kind, REST), frozenset(capabilities)

    # Our delete and destroy reach single versions and the whole; Vault has a path for each, so both are needed.
    return [
        Grant(Action.READ, here, (need("data", "read"),)),
        Grant(Action.WRITE, here, (need("data", "create", "update"),), tied="patch"),
        Grant(Action.DELETE, here, (need("data", "delete"), need("delete", "update"))),
        Grant(Action.UNDELETE, here, (need("undelete", "update"),)),
        Grant(Action.DESTROY, here, (need("destroy", "update"), need("metadata", "delete"))),
        Grant(Action.DESCRIBE, here, (need("metadata", "read"),)),
        Grant(Action.ANNOTATE, here, (need("metadata", "create", "update"),), tied="patch"),
        Grant(Action.LIST, here, (need("metadata", "list"),), folder=True, tied="scan"),
        # The settings for all secrets of the mount; Vault looks for none there, so that writing them is an update.
        Grant(Action.DESCRIBE, prefix, (((*prefix, "config"), frozenset({"read"})),)),
        Grant(Action.ANNOTATE, prefix, (((*prefix, "config"), frozenset({"update"})),)),
    ]


def _service(action: Action, path: str, *capabilities: str, vault: str = "", folder: bool = False) -> Grant:
    target = tuple(path.split("/"))
    template = tuple(vault.split("/")) if vault else target
    return Grant(action, target, ((template, frozenset(capabilities)),), folder=folder)


_ROLE = f"auth/{ONE}/role/{ONE}"
_POLICY = f"sys/policies/acl/{ONE}"
_SERVICES = (
    _service(Action.READ, "auth/token/lookup-self", "read"),
    *(
        _service(Action.WRITE, f"auth/token/{name}", "update")
        for name in ("create", "renew", "renew-self", "renew-accessor", "revoke", "revoke-self", "revoke-accessor")
    ),
    *(_service(Action.READ, f"auth/token/{name}", "update") for name in ("lookup", "lookup-accessor")),
    *(
        _service(Action.MANAGE, f"auth/token/{name}", "update", "sudo")
        for name in ("create-orphan", "revoke-orphan", "tidy")
    ),
    _service(Action.MANAGE, "auth/token/accessors", "list", "sudo", folder=True),
    _service(Action.LIST, f"auth/{ONE}/role", "list", folder=True),
    _service(Action.READ, _ROLE, "read"),
    _service(Action.MANAGE, _ROLE, "create", "update", "delete"),
    _service(Action.READ, f"{_ROLE}/role-id", "read"),
    _service(Action.MANAGE, f"{_ROLE}/role-id", "update"),
    _service(Action.WRITE, f"{_ROLE}/secret-id", "update"),
    _service(Action.LIST, f"{_ROLE}/secret-id", "list", folder=True),
    _service(Action.WRITE, f"{_ROLE}/custom-secret-id", "update"),
    *(_service(Action.READ, f"{_ROLE}/{name}/lookup", "update") for name in ("secret-id", "secret-id-accessor")),
    *(
        _service(Action.WRITE, f"{_ROLE}/{name}/destroy", "update", "delete")
        for name in ("secret-id", "secret-id-accessor")
    ),
    _service(Action.READ, "sys/capabilities-self", "update"),
    *(_service(Action.WRITE, f"sys/wrapping/{name}", "update") for name in ("wrap", "unwrap", "rewrap")),
    _service(Action.LIST, "sys/mounts", "read"),
    _service(Action.READ, f"sys/mounts/{ONE}", "read"),
    Grant(
        Action.MANAGE,
        ("sys", "mounts", ONE),
        (
            (("sys", "mounts", ONE), frozenset({"update", "delete"})),
            (("sys", "mounts", ONE, "tune"), frozenset({"read", "update"})),
        ),
    ),
    _service(Action.LIST, "sys/auth", "read"),
    _service(Action.READ, f"sys/auth/{ONE}", "read", "sudo"),
    Grant(
        Action.MANAGE,
        ("sys", "auth", ONE),
        (
            (("sys", "auth", ONE), frozenset({"update", "delete", "sudo"})),
            (("sys", "auth", ONE, "tune"), frozenset({"update", "sudo"})),
        ),
    ),
    _service(Action.LIST, "sys/policies", "list", vault="sys/policies/acl", folder=True),
    _service(Action.READ, f"sys/policies/{ONE}", "read", vault=_POLICY),
    _service(Action.MANAGE, f"sys/policies/{ONE}", "update", "delete", vault=_POLICY),
)  # fmt: skip
