"""Policies: of each namespace one set, vouched for as a whole."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from wardgate.spi.errors import InvalidValue, SecretNotFound, Unavailable
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database, snapshot
from wardgate.state.grants import Grants, Memo

MAX_POLICIES = 1_000
"""Policies in one namespace."""


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The written policies of one namespace."""

    policies: tuple[Policy, ...]


class Policies:
    """Reads and changes the sets."""

    def __init__(self, database: Database, codes: Codes, grants: Grants) -> None:
        self._database = database
        self._codes = codes
        self._grants = grants
        self._memo = Memo("policies", grants, self._load)
        self._newest: dict[str, int] = {}

    def of(self, namespace: str) -> PolicySet:
        """All written policies of a namespace, as committed now.

        Raises:
            Unavailable: the set was changed outside the gateway: a row edited, added, removed, or an old set put back.
        """
        return self._memo.of(namespace)

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

        await self._change(namespace, change)

    async def delete(self, namespace: str, name: str) -> None:
        """Delete one. Raises SecretNotFound."""

        def change(connection: Connection, before: dict[str, str]) -> None:
            if name not in before:
                raise SecretNotFound(f"there is no policy {name!r}")
            key = (tables.policies.c.namespace == namespace) & (tables.policies.c.name == name)
            connection.execute(delete(tables.policies).where(key))

        await self._change(namespace, change)

    async def _change(self, namespace: str, change: Callable[[Connection, dict[str, str]], None]) -> None:
        def work(connection: Connection) -> None:
            # A set that does not verify must not be blessed by the next change.
            generation, before = self._verified(connection, namespace)
            change(connection, dict(before))
            after = _rows(connection, namespace)
            mac = _code(self._codes, namespace, generation + 1, after)
            table = tables.policy_sets
            connection.execute(
                update(table).where(table.c.namespace == namespace).values(generation=generation + 1, mac=mac)
            )

        await self._grants.change([("policies", namespace)], work)

    def _load(self, namespace: str) -> PolicySet:
        with self._database.reading() as connection, snapshot(connection):
            generation, rows = self._verified(connection, namespace)
        self._newest[namespace] = generation
        return PolicySet(tuple(_decode(name, rules) for name, rules in rows))

    def _verified(self, connection: Connection, namespace: str) -> tuple[int, list[tuple[str, str]]]:
        head = connection.execute(
            select(tables.policy_sets.c.generation, tables.policy_sets.c.mac).where(
                tables.policy_sets.c.namespace == namespace
            )
        ).first()
        rows = _rows(connection, namespace)
        if head is not None and isinstance(head.mac, bytes) and isinstance(head.generation, int):
            genuine = hmac.compare_digest(head.mac, _code(self._codes, namespace, head.generation, rows))
            if genuine and head.generation >= self._newest.get(namespace, 0):
                return head.generation, rows
        self._codes.report("the policies of namespace", namespace)
        raise Unavailable("the policies of this namespace were changed outside the gateway; restore a backup")


def empty_set(codes: Codes, namespace: str) -> dict[str, Any]:
    """The row of a new namespace's set: no policies, and vouched for."""
    return {"namespace": namespace, "generation": 1, "mac": _code(codes, namespace, 1, [])}


def _rows(connection: Connection, namespace: str) -> list[tuple[str, str]]:
    table = tables.policies
    found = connection.execute(
        select(table.c.name, table.c.rules).where(table.c.namespace == namespace).order_by(table.c.name)
    )
    return [(row.name, row.rules) for row in found]


def _code(codes: Codes, namespace: str, generation: int, rows: Iterable[tuple[str, str]]) -> bytes:
    return codes.of_set("policies", (namespace, generation), rows)


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
