"""AppRole: the roles machines prove, their secret ids, and the login."""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.context import Context
from wardgate.services.names import check_handed_out, check_name, check_same, name_below
from wardgate.services.service import Handlers
from wardgate.spi.errors import InvalidValue, Unauthenticated
from wardgate.spi.operations.approle import (
    ROLES,
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.policies import Policy
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.state import State
from wardgate.state.approle import DEFAULT_TOKEN_MAX_TTL
from wardgate.state.principals import REFUSED, check_life

MAX_USES = 1_000_000_000
"""The most uses a secret id can be counted down from."""


class AppRoleService:
    """Keeps the roles of a namespace and answers their logins."""

    def __init__(self, state: State, *, built_in: Mapping[str, Policy]) -> None:
        self._roles = state.approle
        self._policies = state.policies
        self._built_in = frozenset(built_in)
        self.handlers: Handlers = {
            ListRoles: self.list,
            ReadRole: self.read,
            WriteRole: self.write,
            DeleteRole: self.delete,
            ReadRoleId: self.read_role_id,
            CreateSecretId: self.create_secret_id,
            Login: self.login,
        }

    async def list(self, context: Context, _operation: ListRoles) -> tuple[str, ...]:
        """The names of all roles."""
        return self._roles.names(context.namespace)

    async def read(self, context: Context, operation: ReadRole) -> Role:
        """One role. Raises SecretNotFound."""
        return self._roles.read(context.namespace, name_below(operation.path, ROLES))

    async def write(self, context: Context, operation: WriteRole) -> None:
        """Create a role or replace it; its role id and secret ids stay, and its tokens keep what they carry.

        Raises:
            InvalidValue: a name, a policy, a life or a count that cannot be.
            PermissionDenied: a policy the writer does not carry.
        """
        giver, role = context.principal, operation.role
        if giver is None:
            raise Unauthenticated(REFUSED)
        check_same("role", role.name, operation.path, ROLES)
        check_name("role's name", role.name)
        _check_lives(role)
        written = {policy.name for policy in self._policies.of(context.namespace).policies}
        check_handed_out(role.policies, giver, written | self._built_in)
        await self._roles.write(context.namespace, role)

    async def delete(self, context: Context, operation: DeleteRole) -> None:
        """Delete a role, its secret ids, and the tokens they brought. Raises SecretNotFound."""
        await self._roles.delete(context.namespace, name_below(operation.path, ROLES))

    async def read_role_id(self, context: Context, operation: ReadRoleId) -> str:
        """What a login names the role by. Raises SecretNotFound."""
        return self._roles.role_id(context.namespace, name_below(operation.path, ROLES, "role-id"))

    async def create_secret_id(self, context: Context, operation: CreateSecretId) -> SecretIdIssued:
        """Issue a secret id. Raises SecretNotFound."""
        return await self._roles.new_secret_id(context.namespace, name_below(operation.path, ROLES, "secret-id"))

    async def login(self, context: Context, operation: Login) -> TokenIssued:
        """Prove a role. Raises Unauthenticated, always alike."""
        return await self._roles.login(context.namespace, operation.role_id, operation.secret_id)


def _check_lives(role: Role) -> None:
    for what, nanoseconds in (
        ("token_ttl", role.token_ttl),
        ("token_max_ttl", role.token_max_ttl),
        ("secret_id_ttl", role.secret_id_ttl),
    ):
        check_life(f"{what}, where it is not 0,", nanoseconds or None)
    if role.token_ttl > (role.token_max_ttl or DEFAULT_TOKEN_MAX_TTL):
        raise InvalidValue("token_ttl is longer than token_max_ttl (24 hours where that is 0)")
    if not 0 <= role.secret_id_uses <= MAX_USES:
        raise InvalidValue(f"secret_id_uses must be 0 (without limit) to {MAX_USES}")
