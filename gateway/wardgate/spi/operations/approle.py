"""Operations on AppRole: machines that prove themselves by a role id and a secret id.

They are at ``auth/<name>/``, of each login method of that type; below, ``approle`` stands for any such name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.methods import APPROLE
from wardgate.spi.operations.secrets import Absent
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path


def roles_of(method: str) -> Path:
    """Where the roles of a login method are."""
    return Path(("auth", method, "role"))


ROLES = roles_of(APPROLE)
"""Of the login method that every namespace begins with."""


@dataclass(frozen=True, slots=True)
class Role:
    """An AppRole role. Durations in nanoseconds; uses of 0: without limit.

    ``token_ttl``, ``token_max_ttl`` of 0: what its login method says, or else the gateway's own.

    ``token_period``, ``token_explicit_max_ttl``: 0: none. Networks in CIDR notation: where its tokens may be used,
    and where its secret ids may log in from; empty: anywhere. ``bind_to_source``: a token may be used only from the
    address that logged in.
    """

    name: str
    policies: tuple[str, ...] = ()
    token_ttl: int = 0
    token_max_ttl: int = 0
    secret_id_ttl: int = 0
    secret_id_uses: int = 0
    bind_secret_id: bool = True
    token_period: int = 0
    token_explicit_max_ttl: int = 0
    token_uses: int = 0
    token_networks: tuple[str, ...] = ()
    secret_id_networks: tuple[str, ...] = ()
    bind_to_source: bool = False


@dataclass(frozen=True, slots=True)
class SecretIdIssued:
    """A new secret id, shown once."""

    accessor: str
    ttl: int
    uses: int
    secret_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretIdInfo:
    """A secret id without itself. Times are Unix nanoseconds; ``uses_left`` 0: without limit."""

    accessor: str
    created_at: int
    expires_at: int | None
    used_at: int
    uses_left: int
    networks: tuple[str, ...] = ()
    token_networks: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


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
    """Create a role or replace it; ``path`` ends in ``role.name``. ``role_id`` None: it keeps its own, or gets one.

    ``expect``: the role as it was read, or that there is none, so that no change made meanwhile is lost; None: any.
    """

    action = Action.MANAGE
    mutates = True
    role: Role
    role_id: str | None = None
    expect: Role | Absent | None = None


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
class WriteRoleId(Operation[None]):
    """Choose the role id; ``path`` is ``auth/approle/role/<name>/role-id``."""

    action = Action.MANAGE
    mutates = True
    role_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecretId(Operation[SecretIdIssued]):
    """Issue a secret id; ``path`` is ``auth/approle/role/<name>/secret-id``.

    ``ttl`` in nanoseconds and ``uses`` None: the role's; neither they nor the networks can reach beyond the role's.
    ``metadata`` goes onto the tokens it brings.
    """

    action = Action.WRITE
    mutates = True
    ttl: int | None = None
    uses: int | None = None
    networks: tuple[str, ...] = ()
    token_networks: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseSecretId(CreateSecretId):
    """As ``CreateSecretId``, with a text of the caller's; ``path`` is ``auth/approle/role/<name>/custom-secret-id``."""

    secret_id: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSecretIds(Operation[tuple[str, ...]]):
    """The accessors of a role's secret ids; ``path`` is ``auth/approle/role/<name>/secret-id``."""

    action = Action.LIST
    folder = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSecretId(Operation[SecretIdInfo]):
    """A secret id by itself or by its accessor; exactly one is given.

    ``path`` is ``auth/approle/role/<name>/secret-id/lookup`` or ``…/secret-id-accessor/lookup``.
    """

    action = Action.READ
    secret_id: str | None = field(default=None, repr=False)
    accessor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroySecretId(Operation[None]):
    """End a secret id, by itself or by its accessor; the tokens it brought live on.

    ``path`` is ``auth/approle/role/<name>/secret-id/destroy`` or ``…/secret-id-accessor/destroy``.
    """

    action = Action.WRITE
    mutates = True
    secret_id: str | None = field(default=None, repr=False)
    accessor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TidySecretIds(Operation[None]):
    """Delete the secret ids that have expired. Nothing depends on it: expiry is checked at use."""

    action = Action.MANAGE
    mutates = True
    path: Path = Path(("auth", APPROLE, "tidy", "secret-id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Login(Operation[TokenIssued]):
    """Prove a role and get a token. Needs no credential; wrong ids of any kind answer alike."""

    action = Action.WRITE
    anonymous = True
    mutates = True
    path: Path = Path(("auth", APPROLE, "login"))
    role_id: str = field(repr=False)
    secret_id: str = field(repr=False)
