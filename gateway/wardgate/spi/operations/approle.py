"""Operations on AppRole, at ``auth/approle/``: machines that prove themselves by a role id and a secret id."""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path

APPROLE = Path(("auth", "approle"))
ROLES = Path(("auth", "approle", "role"))


@dataclass(frozen=True, slots=True)
class Role:
    """An AppRole role. Durations in nanoseconds; 0: the gateway's default, or for uses: without limit."""

    name: str
    policies: tuple[str, ...] = ()
    token_ttl: int = 0
    token_max_ttl: int = 0
    secret_id_ttl: int = 0
    secret_id_uses: int = 0
    bind_secret_id: bool = True


@dataclass(frozen=True, slots=True)
class SecretIdIssued:
    """A new secret id, shown once."""

    accessor: str
    ttl: int
    uses: int
    secret_id: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRoles(Operation[tuple[str, ...]]):
    """The names of all roles."""

    action = Action.LIST
    folder = True
    path: Path = ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRole(Operation[Role]):
    """One role; ``path`` is ``auth/approle/role/<name>``."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRole(Operation[None]):
    """Create a role or replace it; ``path`` ends in ``role.name``."""

    action = Action.MANAGE
    mutates = True
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRole(Operation[None]):
    """Delete a role, its secret ids, and the tokens they brought."""

    action = Action.MANAGE
    mutates = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRoleId(Operation[str]):
    """The role id; ``path`` is ``auth/approle/role/<name>/role-id``."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecretId(Operation[SecretIdIssued]):
    """Issue a secret id; ``path`` is ``auth/approle/role/<name>/secret-id``."""

    action = Action.WRITE
    mutates = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Login(Operation[TokenIssued]):
    """Prove a role and get a token. Needs no credential; wrong ids of any kind answer alike."""

    action = Action.WRITE
    anonymous = True
    mutates = True
    path: Path = Path(("auth", "approle", "login"))
    role_id: str = field(repr=False)
    secret_id: str = field(repr=False)
