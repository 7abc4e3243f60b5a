"""API keys: long-lived tokens an administrator hands out."""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.context import Context
from wardgate.services.names import capped, check_handed_out, check_title, denying, name_below, proved
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations.keys import KEYS, CreateKey, ListKeys, ReadKey, RevokeKey
from wardgate.spi.operations.policies import ADMINISTRATOR, Policy
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.state import State
from wardgate.state.lives import Life, check_life
from wardgate.state.principals import KEY, Origin


class KeysService:
    """Lists, issues and ends the keys of a namespace."""

    def __init__(self, state: State, *, built_in: Mapping[str, Policy]) -> None:
        self._principals = state.principals
        self._policies = state.policies
        self._built_in = frozenset(built_in)
        self.handlers: Handlers = {
            ListKeys: self.list,
            ReadKey: self.read,
            CreateKey: self.create,
            RevokeKey: self.revoke,
        }

    async def list(self, context: Context, _operation: ListKeys) -> tuple[TokenInfo, ...]:
        """All keys that have not expired, oldest first."""
        return self._principals.keys(context.namespace)

    async def read(self, context: Context, operation: ReadKey) -> TokenInfo:
        """One key by its id. Raises SecretNotFound."""
        info = self._principals.info(context.namespace, name_below(operation.path, KEYS))
        if info.kind != KEY:
            raise SecretNotFound("there is no such key")
        return info

    async def create(self, context: Context, operation: CreateKey) -> TokenIssued:
        """Issue a key. It has its giver's networks.

        Unless that is an administrator, it does not outlive it either, and conditions read of it what they do of the
        giver.

        Raises:
            InvalidValue: a policy that does not exist, a life that is none, a name too long or empty; a giver whose
                uses are counted.
            PermissionDenied: a policy the giver does not carry.
        """
        giver = asker(context)
        if giver.counted:
            raise InvalidValue("a token whose uses are counted cannot issue keys")
        check_title("key's name", operation.key_name)
        check_life("the key's ttl", operation.ttl)
        policies = self._policies.of(context.namespace).policies
        known = self._built_in.union(policy.name for policy in policies)
        check_handed_out(operation.policies, giver, known, denying(giver, policies))
        life = Life(ttl=capped(operation.ttl, giver, context.arrival.received_at))
        trusted = ADMINISTRATOR in giver.policies
        origin = Origin(
            method=None if trusted else giver.method,
            attributes=None if trusted else proved(giver),
            networks=giver.networks,
        )
        return await self._principals.issue(
            context.namespace, operation.key_name, operation.policies, life, origin=origin
        )

    async def revoke(self, context: Context, operation: RevokeKey) -> None:
        """End a key in every worker. Raises SecretNotFound."""
        try:
            await self._principals.revoke(context.namespace, name_below(operation.path, KEYS), kind=KEY)
        except SecretNotFound:
            raise SecretNotFound("there is no such key") from None
