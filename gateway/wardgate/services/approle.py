"""AppRole: the roles machines prove, their secret ids, and the login."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from wardgate.context import Context
from wardgate.services.names import check_handed_out, check_meta, check_name, check_same, denying, name_below, proved
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import InvalidValue
from wardgate.spi.networks import check_networks, covered
from wardgate.spi.operations.approle import (
    ChooseSecretId,
    CreateSecretId,
    DeleteRole,
    DestroySecretId,
    ListRoles,
    ListSecretIds,
    Login,
    LookupSecretId,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdInfo,
    SecretIdIssued,
    TidySecretIds,
    WriteRole,
    WriteRoleId,
    roles_of,
)
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.policies import ADMINISTRATOR, Policy
from wardgate.spi.operations.tokens import MAX_LIFE, MAX_USES, TokenIssued
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.state import State
from wardgate.state.approle import DEFAULT_TOKEN_MAX_TTL
from wardgate.state.lives import check_life

_LONGEST_ID = 512
_AUTH = Path(("auth",))
_TRUNCATED = (
    "token_max_ttl is greater than the backend mount's maximum TTL value;"
    " issued tokens' max TTL value will be truncated"
)


class AppRoleService:
    """Keeps the roles of a namespace and answers their logins."""

    def __init__(self, state: State, clock: Clock, *, built_in: Mapping[str, Policy]) -> None:
        self._roles = state.approle
        self._clock = clock
        self._policies = state.policies
        self._built_in = frozenset(built_in)
        self.handlers: Handlers = {
            ListRoles: self.list,
            ReadRole: self.read,
            WriteRole: self.write,
            DeleteRole: self.delete,
            ReadRoleId: self.read_role_id,
            WriteRoleId: self.write_role_id,
            CreateSecretId: self.create_secret_id,
            ChooseSecretId: self.choose_secret_id,
            ListSecretIds: self.list_secret_ids,
            LookupSecretId: self.lookup_secret_id,
            DestroySecretId: self.destroy_secret_id,
            TidySecretIds: self.tidy,
            Login: self.login,
        }

    async def list(self, context: Context, operation: ListRoles) -> tuple[str, ...]:
        """The names of all roles. Raises SecretNotFound: there is no such method."""
        return self._roles.names(context.namespace, method=_method(operation.path, "role"))

    async def read(self, context: Context, operation: ReadRole) -> Role:
        """One role. Raises SecretNotFound."""
        method, name = _named(operation.path)
        return self._roles.read(context.namespace, name, method=method)

    async def write(self, context: Context, operation: WriteRole) -> None:
        """Create a role or replace it; its role id and secret ids stay, and its tokens keep what they carry.

        Its tokens have its writer's networks, where it names none. Unless that is an administrator, conditions read of
        them what they do of the writer.

        Raises:
            SecretNotFound: there is no such method.
            InvalidValue: a name, a policy, a life, a network or a count that cannot be; networks beyond the writer's;
                a writer whose uses are counted.
            AlreadyExists: another role has that role id.
            Conflict: the role is not what was expected any more.
            PermissionDenied: a policy the writer does not carry.
        """
        giver, role = asker(context), operation.role
        if giver.counted:
            raise InvalidValue("a token whose uses are counted cannot write roles")
        method, _ = _named(operation.path)
        check_same("role", role.name, operation.path, roles_of(method))
        check_name("role's name", role.name)
        info = self._roles.method(context.namespace, method)
        _check_lives(role, info)
        check_networks("token_networks", role.token_networks)
        check_networks("secret_id_networks", role.secret_id_networks)
        if operation.role_id is not None:
            _check_id("role id", operation.role_id)
        policies = self._policies.of(context.namespace).policies
        known = self._built_in.union(policy.name for policy in policies)
        check_handed_out(role.policies, giver, known, denying(giver, policies))
        if not covered(role.token_networks, giver.networks):
            raise InvalidValue("token_networks reach beyond those of the token that writes the role")
        role = dataclasses.replace(role, token_networks=role.token_networks or giver.networks)
        writer = None if ADMINISTRATOR in giver.policies else (giver.method, proved(giver))
        await self._roles.write(
            context.namespace, role, method=method, role_id=operation.role_id, expect=operation.expect, writer=writer
        )
        if 0 < info.max_lease_ttl < role.token_max_ttl:
            context.warn(_TRUNCATED)

    async def delete(self, context: Context, operation: DeleteRole) -> None:
        """Delete a role, its secret ids, and the tokens they brought. Raises SecretNotFound."""
        method, name = _named(operation.path)
        await self._roles.delete(context.namespace, name, method=method)

    async def read_role_id(self, context: Context, operation: ReadRoleId) -> str:
        """What a login names the role by. Raises SecretNotFound."""
        method, name = _named(operation.path, "role-id")
        return self._roles.role_id(context.namespace, name, method=method)

    async def write_role_id(self, context: Context, operation: WriteRoleId) -> None:
        """Choose what a login names the role by.

        Raises:
            SecretNotFound: there is no such role.
            InvalidValue: it is empty, too long, or more than printable ASCII.
            AlreadyExists: another role has it.
        """
        _check_id("role id", operation.role_id)
        method, name = _named(operation.path, "role-id")
        await self._roles.choose_role_id(context.namespace, name, operation.role_id, method=method)

    async def create_secret_id(self, context: Context, operation: CreateSecretId) -> SecretIdIssued:
        """Issue a secret id.

        Raises:
            SecretNotFound: there is no such role.
            InvalidValue: metadata, a life, a count or a network that cannot be, or that the role does not allow.
        """
        return await self._issued(context, operation, *_named(operation.path, "secret-id"))

    async def choose_secret_id(self, context: Context, operation: ChooseSecretId) -> SecretIdIssued:
        """Keep a secret id of the caller's. Raises as ``create_secret_id`` does; AlreadyExists: the role has it."""
        if not 0 < len(operation.secret_id) <= _LONGEST_ID:
            raise InvalidValue(f"a secret id has 1 to {_LONGEST_ID} characters")
        named = _named(operation.path, "custom-secret-id")
        return await self._issued(context, operation, *named, chosen=operation.secret_id)

    async def list_secret_ids(self, context: Context, operation: ListSecretIds) -> tuple[str, ...]:
        """The accessors of a role's secret ids. Raises SecretNotFound: there is no such role."""
        method, name = _named(operation.path, "secret-id")
        row = self._roles.row(context.namespace, name, method=method)
        return self._roles.secret_ids.accessors(row, self._clock.now())

    async def lookup_secret_id(self, context: Context, operation: LookupSecretId) -> SecretIdInfo:
        """A secret id without itself. Raises SecretNotFound: no such role, or it has no such secret id."""
        method, name = _role_of(operation, "lookup")
        row = self._roles.row(context.namespace, name, method=method)
        return self._roles.secret_ids.info(row, operation.secret_id, operation.accessor, self._clock.now())

    async def destroy_secret_id(self, context: Context, operation: DestroySecretId) -> None:
        """End a secret id. Raises SecretNotFound: no such role, or it has no such secret id."""
        method, name = _role_of(operation, "destroy")
        row = self._roles.row(context.namespace, name, method=method)
        await self._roles.secret_ids.destroy(row, operation.secret_id, operation.accessor, self._clock.now())

    async def tidy(self, context: Context, operation: TidySecretIds) -> None:
        """Delete the secret ids that have expired, of every method. Raises SecretNotFound: there is no such method."""
        self._roles.method(context.namespace, _method(operation.path, "tidy", "secret-id"))
        await self._roles.secret_ids.tidy(self._clock.now())

    async def login(self, context: Context, operation: Login) -> TokenIssued:
        """Prove a role. Raises Unauthenticated, always alike."""
        return await self._roles.login(
            context.namespace,
            operation.role_id,
            operation.secret_id,
            context.arrival.source,
            method=_method(operation.path, "login"),
        )

    async def _issued(
        self, context: Context, asked: CreateSecretId, method: str, name: str, *, chosen: str = ""
    ) -> SecretIdIssued:
        role = self._roles.read(context.namespace, name, method=method)
        check_meta(asked.metadata)
        check_life("the secret id's ttl, where it is not 0,", asked.ttl or None)
        if asked.ttl is not None and role.secret_id_ttl and not 0 < asked.ttl <= role.secret_id_ttl:
            raise InvalidValue("ttl cannot be longer than the role's secret_id_ttl")
        if asked.uses is not None and not 0 <= asked.uses <= MAX_USES:
            raise InvalidValue(f"num_uses must be 0 (without limit) to {MAX_USES}")
        if asked.uses is not None and role.secret_id_uses and not 0 < asked.uses <= role.secret_id_uses:
            raise InvalidValue("num_uses cannot be higher than the role's secret_id_num_uses")
        for what, networks, outer in (
            ("the secret id's networks", asked.networks, role.secret_id_networks),
            ("the networks of its tokens", asked.token_networks, role.token_networks),
        ):
            check_networks(what, networks)
            if not covered(networks, outer):
                raise InvalidValue(f"{what} reach beyond the role's")
        return await self._roles.new_secret_id(context.namespace, name, asked, method=method, chosen=chosen)


def _method(path: Path, *tail: str) -> str:
    """The method's name between ``auth`` and ``tail``. Raises SecretNotFound for any other shape."""
    return name_below(path, _AUTH, *tail)


def _named(path: Path, *tail: str) -> tuple[str, str]:
    """The names of the method and of the role that a path speaks of. Raises SecretNotFound for any other shape."""
    method = path.segments[1] if len(path.segments) > 1 else ""
    return method, name_below(path, roles_of(method), *tail)


def _role_of(operation: LookupSecretId | DestroySecretId, verb: str) -> tuple[str, str]:
    """The names of the method and the role of a path and its operation. Raises SecretNotFound for any other shape."""
    if (operation.secret_id is None) == (operation.accessor is None):
        raise InvalidValue("name a secret id by itself or by its accessor")
    by = "secret-id" if operation.accessor is None else "secret-id-accessor"
    return _named(operation.path, by, verb)


def _check_id(what: str, text: str) -> None:
    if not 0 < len(text) <= _LONGEST_ID or not text.isascii() or not text.isprintable():
        raise InvalidValue(f"a {what} has 1 to {_LONGEST_ID} printable ASCII characters")


def _check_lives(role: Role, method: MethodInfo) -> None:
    for what, nanoseconds in (
        ("token_ttl", role.token_ttl),
        ("token_max_ttl", role.token_max_ttl),
        ("secret_id_ttl", role.secret_id_ttl),
        ("token_period", role.token_period),
        ("token_explicit_max_ttl", role.token_explicit_max_ttl),
    ):
        check_life(f"{what}, where it is not 0,", nanoseconds or None)
    # Beyond what the method gives it is cut at each login: the method may be tuned again.
    longest = MAX_LIFE if method.max_lease_ttl else max(DEFAULT_TOKEN_MAX_TTL, method.default_lease_ttl)
    if role.token_ttl > (role.token_max_ttl or longest):
        raise InvalidValue("token_ttl is longer than token_max_ttl (24 hours where neither that nor the method says)")
    for what, count in (("secret_id_uses", role.secret_id_uses), ("token_uses", role.token_uses)):
        if not 0 <= count <= MAX_USES:
            raise InvalidValue(f"{what} must be 0 (without limit) to {MAX_USES}")
