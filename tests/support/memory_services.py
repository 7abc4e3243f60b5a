"""Services in memory for tests of front-ends: kept answers, tuning of mounts, policies."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from wardgate.context import Context
from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations import mounts, policies, wrapping
from wardgate.spi.operations.base import Operation

Handler = Callable[[Context, Any], Any]


class MemoryKeeper:
    """Keeps wrapped answers in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, wrapping.Unwrapped] = {}
        self.handlers: dict[type[Operation[Any]], Handler] = {
            wrapping.WrapData: self._data,
            wrapping.LookupWrapping: lambda _c, o: dataclasses.replace(self._of(o.token).kept, token=""),
            wrapping.Unwrap: lambda _c, o: self._taken(o.token),
            wrapping.UnwrapOwn: lambda _c, o: self._taken(o.token),
            wrapping.Rewrap: self._rewrap,
        }

    def check(self, namespace: str, ttl: int, maker: str | None = None) -> None:
        """There is always room."""

    async def keep(
        self,
        namespace: str,
        payload: bytes,
        *,
        ttl: int,
        creation_path: str,
        wrapped_accessor: str = "",
        maker: str = "",
    ) -> wrapping.Wrapped:
        """Keep an answer."""
        assert namespace
        return self._new(payload, ttl, creation_path, wrapped_accessor)

    def _new(self, payload: bytes, ttl: int, path: str, accessor: str) -> wrapping.Wrapped:
        made = wrapping.Wrapped(uuid.uuid4().hex, ttl, time.time_ns(), path, accessor, f"wg_{uuid.uuid4().hex}")
        self._kept[made.token] = wrapping.Unwrapped(made, payload)
        return made

    def _of(self, token: str) -> wrapping.Unwrapped:
        if token not in self._kept:
            raise InvalidValue("wrapping token is not valid or does not exist")
        return self._kept[token]

    def _taken(self, token: str) -> wrapping.Unwrapped:
        found = self._of(token)
        del self._kept[token]
        return found

    def _rewrap(self, _: Context, operation: wrapping.Rewrap) -> wrapping.Wrapped:
        old = self._taken(operation.token)
        return self._new(old.payload, old.kept.ttl, old.kept.creation_path, old.kept.wrapped_accessor)

    @staticmethod
    def _data(context: Context, operation: wrapping.WrapData) -> bytes:
        if context.wrap is None:
            raise InvalidValue("endpoint requires response wrapping to be used")
        return operation.data


class NoKeys:
    """For where no change is asked for under a key: whoever asks is told that it is another request's."""

    async def claim(self, namespace: str, principal: str, key: str, request: Sequence[bytes], busy: int) -> bytes:
        """Refuse it."""
        raise InvalidValue("that key was another request's")

    async def keep(self, claim: object, answer: bytes) -> None:
        """Nothing is ever kept."""

    async def forget(self, claim: object) -> None:
        """Nor forgotten."""


def created(mount: mounts.MountInfo, operation: mounts.CreateMount) -> mounts.MountInfo:
    """The mount with what was said when it was made."""
    return dataclasses.replace(
        mount,
        description=operation.description,
        cache_ttl=operation.cache_ttl,
        default_lease_ttl=operation.default_lease_ttl,
        max_lease_ttl=operation.max_lease_ttl,
    )


def tuned(mount: mounts.MountInfo, operation: mounts.TuneMount) -> mounts.MountInfo:
    """The mount as it is after tuning."""
    changed = dataclasses.replace(
        mount,
        description=mount.description if operation.description is None else operation.description,
        presentation={**mount.presentation, **operation.presentation},
        cache_ttl=operation.cache_ttl.duration if operation.cache_ttl else mount.cache_ttl,
        default_lease_ttl=_or(operation.default_lease_ttl, mount.default_lease_ttl),
        max_lease_ttl=_or(operation.max_lease_ttl, mount.max_lease_ttl),
    )
    default, longest = (ttl // 10**9 for ttl in (changed.default_lease_ttl, changed.max_lease_ttl))
    if longest and default > longest:
        raise InvalidValue(
            f"backend max lease TTL of {longest} would be less than backend default lease TTL of {default}"
        )
    return changed


def _or(given: int | None, kept: int) -> int:
    return kept if given is None else given


class MemoryPolicies:
    """Policies in a dictionary; nobody is asked by them."""

    def __init__(self) -> None:
        self.kept: dict[str, policies.Policy] = {
            name: policies.Policy(name, (), built_in=True) for name in ("administrator", "default")
        }
        self.handlers: dict[type[Operation[Any]], Handler] = {
            policies.ListPolicies: lambda _c, _o: tuple(sorted(self.kept)),
            policies.ReadPolicy: lambda _c, o: self._of(o.path.segments[-1]),
            policies.WritePolicy: self._write,
            policies.DeletePolicy: self._delete,
        }

    def _of(self, name: str) -> policies.Policy:
        if name not in self.kept:
            raise SecretNotFound
        return self.kept[name]

    def _write(self, context: Context, operation: policies.WritePolicy) -> None:
        policy = operation.policy
        if isinstance(policy, policies.Draft):
            rules, missed = policy.read(policy.text)
            for sentence in missed:
                context.warn(sentence)
            policy = policies.Policy(policy.name, rules, text=policy.text)
        self.kept[policy.name] = policy

    def _delete(self, _: Context, operation: policies.DeletePolicy) -> None:
        name = operation.path.segments[-1]
        if self._of(name).built_in:
            raise InvalidValue(f"the policy {name!r} is built in and cannot be deleted")
        del self.kept[name]
