"""Policies: of each namespace one set, vouched for as a whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants
from wardgate.state.vouched import Rows, VouchedSets, head_of

MAX_POLICIES = 1_000
"""Policies in one namespace."""
KIND = "policies"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The written policies of one namespace."""

    policies: tuple[Policy, ...]


class Policies:
    """Reads and changes the sets."""

    def __init__(self, database: Database, codes: Codes, grants: Grants) -> None:
        name, rules = tables.policies.c.name, tables.policies.c.rules
        self._sets = VouchedSets(
            KIND, tables.policy_sets, name, rules, database, codes, grants, _set_of, founded=True
        )  # fmt: skip

    def of(self, namespace: str) -> PolicySet:
        """All written policies of a namespace, as committed now.

        Raises:
            Unavailable: the set was changed outside the gateway: a row edited, added, removed, or an old set put back.
        """
        return self._sets.of(namespace)

    def read(self, namespace: str, name: str) -> Policy:
        """One policy. Raises SecretNotFound."""
        for policy in self.of(namespace).policies:
            if policy.name == name:
                return policy
        raise SecretNotFound(f"there is no policy {name!r}")

    async def write(self, namespace: str, policy: Policy) -> None:
        """Create or replace one. The caller has validated it.

        Raises:
            InvalidValue: the namespace has too many.
        """
        rules = _encode(policy)

        def change(connection: Connection, before: dict[str, str]) -> None:
            key = (tables.policies.c.namespace == namespace) & (tables.policies.c.name == policy.name)
            if policy.name in before:
                connection.execute(update(tables.policies).where(key).values(rules=rules))
            elif len(before) >= MAX_POLICIES:
                raise InvalidValue(f"a namespace holds at most {MAX_POLICIES} policies")
            else:
                connection.execute(insert(tables.policies).values(namespace=namespace, name=policy.name, rules=rules))

        await self._sets.change(namespace, change)

    async def delete(self, namespace: str, name: str) -> None:
        """Delete one. Raises SecretNotFound."""

        def change(connection: Connection, before: dict[str, str]) -> None:
            if name not in before:
                raise SecretNotFound(f"there is no policy {name!r}")
            key = (tables.policies.c.namespace == namespace) & (tables.policies.c.name == name)
            connection.execute(delete(tables.policies).where(key))

        await self._sets.change(namespace, change)


def empty_set(codes: Codes, namespace: str) -> dict[str, Any]:
    """The row of a new namespace's set: no policies, and vouched for."""
    return head_of(codes, KIND, namespace, 1, [])


def _set_of(rows: Rows) -> PolicySet:
    return PolicySet(tuple(_decode(name, rules) for name, rules in rows))


def _encode(policy: Policy) -> str:
    rules: object = [
        {"effect": rule.effect, "actions": rule.actions, "paths": rule.paths, "when": rule.when}
        for rule in policy.rules
    ]
    return json.dumps({"rules": rules, "text": policy.text} if policy.text else rules, separators=(",", ":"))


def _decode(name: str, text: str) -> Policy:
    stored = json.loads(text)
    written = stored if isinstance(stored, dict) else {"rules": stored, "text": ""}
    rules = tuple(
        Rule(Effect(rule["effect"]), tuple(rule["actions"]), tuple(rule["paths"]), rule["when"])
        for rule in written["rules"]
    )
    return Policy(name, rules, text=written["text"])
