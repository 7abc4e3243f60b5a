"""Policies, and questions about them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

from wardgate.context import Context
from wardgate.services.names import check_same, name_below
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import (
    POLICIES,
    DeletePolicy,
    Draft,
    ExplainPolicy,
    Explanation,
    ListPolicies,
    Policy,
    ReadCapabilities,
    ReadPolicy,
    Supposed,
    WritePolicy,
)
from wardgate.spi.options import nearest
from wardgate.spi.path import Path
from wardgate.state import State

MAX_TEXT = 64 * 1024
"""Bytes of the text that a policy was written as."""


class PolicyEngine(Protocol):
    """What is asked of the policy engine."""

    def validate(self, policy: Policy, beside: Sequence[Policy] = ()) -> None:
        """Refuse a policy that cannot be kept, alone or beside the others. Raises InvalidValue."""

    def explain(
        self,
        namespace: str,
        policies: Sequence[str],
        action: Action,
        path: Path,
        *,
        folder: bool,
        supposed: Supposed | None = None,
    ) -> Explanation:
        """Decide, and say by which rule."""

    def capabilities(
        self, principal: Principal, paths: Sequence[Path], facts: Arrival
    ) -> Mapping[str, frozenset[Action]]:
        """What the principal may do at each path, in a request that arrived so."""

    def reaches(self, principal: Principal, path: Path, facts: Arrival) -> bool:
        """Whether the principal could do anything at all at or below ``path``, in a request that arrived so."""


class PoliciesService:
    """Keeps the policies of a namespace; the built-in ones are shown and never changed."""

    def __init__(self, state: State, engine: PolicyEngine, *, built_in: Mapping[str, Policy]) -> None:
        self._policies = state.policies
        self._engine = engine
        self._built_in = built_in
        self.handlers: Handlers = {
            ListPolicies: self.list,
            ReadPolicy: self.read,
            WritePolicy: self.write,
            DeletePolicy: self.delete,
            ExplainPolicy: self.explain,
            ReadCapabilities: self.capabilities,
        }

    async def list(self, context: Context, _operation: ListPolicies) -> tuple[str, ...]:
        """The names of all policies, in order."""
        written = {policy.name for policy in self._policies.of(context.namespace).policies}
        return tuple(sorted(written | set(self._built_in)))

    async def read(self, context: Context, operation: ReadPolicy) -> Policy:
        """One policy. Raises SecretNotFound."""
        name = name_below(operation.path, POLICIES)
        return self._built_in.get(name) or self._policies.read(context.namespace, name)

    async def write(self, context: Context, operation: WritePolicy) -> None:
        """Create or replace a policy, warning of what a reader of its text might miss. Raises InvalidValue."""
        policy = operation.policy
        check_same("policy", policy.name, operation.path, POLICIES)
        if len(policy.text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
            raise InvalidValue(f"the policy's text is longer than {MAX_TEXT} bytes; split it")
        if isinstance(policy, Draft):
            rules, missed = await asyncio.to_thread(policy.read, policy.text)
            policy = Policy(policy.name, rules, text=policy.text)
            for sentence in missed:
                context.warn(sentence)
        self._engine.validate(policy, beside=self._policies.of(context.namespace).policies)
        await self._policies.write(context.namespace, policy)

    async def delete(self, context: Context, operation: DeletePolicy) -> None:
        """Delete a policy. Raises SecretNotFound, and InvalidValue for a built-in one."""
        name = name_below(operation.path, POLICIES)
        if name in self._built_in:
            raise InvalidValue(f"the policy {name!r} is built in and cannot be deleted")
        await self._policies.delete(context.namespace, name)

    async def explain(self, context: Context, operation: ExplainPolicy) -> Explanation:
        """Which rule decides. Raises InvalidValue for a policy that does not exist."""
        known = {policy.name for policy in self._policies.of(context.namespace).policies} | set(self._built_in)
        for name in operation.policies:
            if name not in known:
                raise InvalidValue(f"there is no policy {name[:80]!r}{nearest(name[:80], known)}")
        return self._engine.explain(
            context.namespace,
            operation.policies,
            operation.asked_action,
            operation.asked_path,
            # A list is always of a folder, whoever asks.
            folder=operation.asked_folder or operation.asked_action is Action.LIST,
            supposed=_at(operation.supposed, context.arrival.received_at),
        )

    async def capabilities(self, context: Context, operation: ReadCapabilities) -> Mapping[str, frozenset[Action]]:
        """What the asker may do at the paths asked for. Raises TooLarge for too many."""
        return self._engine.capabilities(asker(context), operation.asked, context.arrival)


def _at(supposed: Supposed, now: int) -> Supposed:
    """What is supposed; now, where no time is stated."""
    return dataclasses.replace(supposed, time=now) if supposed.time is None else supposed
