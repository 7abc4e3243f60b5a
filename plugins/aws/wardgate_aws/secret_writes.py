"""How Secrets Manager is written to: versions under a token of their own, and a compare-and-set made of stages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    Gone,
    InvalidValue,
    SecretNotFound,
    TooLarge,
    WardgateError,
    unclear,
)
from wardgate.spi.values import Value

from wardgate_aws.declaration import SECRETS_MANAGER
from wardgate_aws.shapes import CURRENT, NONSENSE, PRIVATE, current_of

if TYPE_CHECKING:
    from wardgate_aws.client import Client

OTHER_VERSION = "the current version is not the expected one"
DROP_SECONDS = 2.0
"""How long a mount that closes waits for private labels to go."""
LEFT_BEHIND = 4
"""Private labels that are taken for those of writers under way. The store holds 20 labels a secret, of all kinds."""
MAX_BYTES = SECRETS_MANAGER.capabilities.max_value_bytes


class Writes:
    """The changes of one mount's secrets.

    Args:
        client: sends them.
        kms_key_id: the key of secrets that are made here; None for the account's own.
    """

    def __init__(self, client: Client, kms_key_id: str | None) -> None:
        self._client = client
        self._drops: set[asyncio.Task[None]] = set()
        self._key = {} if kms_key_id is None else {"KmsKeyId": kms_key_id}

    async def write(self, name: str, value: Value, token: str) -> None:
        """Store a version named ``token``, make it current, and make the secret where there is none."""
        held = stored(value)
        try:
            await self._put(name, held, token)
        except SecretNotFound:
            absent = True
        else:
            absent = False
        if absent:
            try:
                await self._create(name, held, token)
            except AlreadyExists:
                await self._put(name, held, token)

    async def write_expecting(self, name: str, value: Value, token: str, expected: str | None) -> None:
        """The same where ``expected`` is the current version. Raises Conflict where it is not."""
        held = stored(value)
        if expected is None:
            try:
                await self._create(name, held, token)
            except AlreadyExists:
                pass  # it may have labels and no version yet
            else:
                return
        await self._check_current(name, expected)
        private = f"{PRIVATE}{token}"
        try:
            put = await self._put(name, held, token, VersionStages=[private])
            # The very first version is made current by the store, for one of several who try.
            if CURRENT not in put.get("VersionStages", ()):
                source = {} if expected is None else {"RemoveFromVersionId": expected}
                await self._make_current(name, MoveToVersionId=token, **source)
        finally:
            # A version without a label is one that the store forgets by itself.
            self._let_go(name, private, token)

    async def close(self) -> None:
        """Wait a moment for the private labels that are on their way out."""
        if self._drops:
            await asyncio.wait(self._drops, timeout=DROP_SECONDS)

    async def create(self, name: str, **more: Any) -> dict[str, Any]:
        """Make a secret. Raises AlreadyExists, and Gone for the name of one that is deleted."""
        return await self.change("create_secret", Name=name, **self._key, **more)

    async def stage(self, name: str, label: str, **ends: Any) -> None:
        """Move a label. Raises InvalidValue where it is not on the version that it is taken from."""
        await self._client.call(
            "update_secret_version_stage", holds="Name", mutates=True, SecretId=name, VersionStage=label, **ends
        )

    async def change(self, method: str, *, holds: str | None = "Name", **params: Any) -> dict[str, Any]:
        """A change that can be sent twice without harm: a token, or its own nature, makes a second one nothing."""
        return await self._client.call(method, holds=holds, mutates=True, idempotent=True, **params)

    async def _put(self, name: str, held: dict[str, Any], token: str, **more: Any) -> dict[str, Any]:
        put = await self.change("put_secret_value", SecretId=name, ClientRequestToken=token, **held, **more)
        return _told_of(token, put)

    async def _create(self, name: str, held: dict[str, Any], token: str) -> None:
        _told_of(token, await self.create(name, ClientRequestToken=token, **held))

    async def _check_current(self, name: str, expected: str | None) -> None:
        try:
            described = await self._client.call("describe_secret", holds="Name", SecretId=name)
        except SecretNotFound:
            described = {}
        if described.get("DeletedDate"):
            raise Gone("the secret is deleted; undelete it first")
        if not described or current_of(described) != expected:
            raise Conflict(OTHER_VERSION)
        await self._tidy(name, described)

    async def _tidy(self, name: str, described: Mapping[str, Any]) -> None:
        """Drop the labels of writers that never came to it. One under way does without: its version is known by id."""
        labelled: Mapping[str, Any] = described.get("VersionIdsToStages") or {}
        left = [
            (label, version)
            for version, labels in labelled.items()
            for label in labels
            if str(label).startswith(PRIVATE)
        ]
        if len(left) > LEFT_BEHIND:
            await asyncio.gather(*(self._drop(name, label, version) for label, version in left))

    async def _make_current(self, name: str, **ends: str) -> None:
        try:
            await self.stage(name, CURRENT, **ends)
        except (InvalidValue, SecretNotFound):
            raise Conflict(OTHER_VERSION) from None  # somebody else was first

    def _let_go(self, name: str, label: str, version: str) -> None:
        """Drop a label, without the caller: one who goes away, or whose time is over, would wait for it too."""
        task = asyncio.get_running_loop().create_task(self._drop(name, label, version))
        self._drops.add(task)
        task.add_done_callback(self._drops.discard)

    async def _drop(self, name: str, label: str, version: str) -> None:
        try:
            await self.stage(name, label, RemoveFromVersionId=version)
        except WardgateError:
            return  # it is hidden from readers, and harmless


def _told_of(token: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to a write; one that does not tell of that version is none of the store's."""
    if answer.get("VersionId") != token:
        raise unclear(NONSENSE, mutates=True)
    return answer


def stored(value: Value) -> dict[str, Any]:
    """A value as the request's parameter: text where it is text, so that the vendor's own tools show it.

    Raises:
        InvalidValue: it is empty.
        TooLarge: it is longer than the store can hold.
    """
    if not value.data:
        raise InvalidValue("this store cannot hold an empty value")
    if len(value.data) > MAX_BYTES:
        raise TooLarge(f"the value is longer than the {MAX_BYTES} bytes this store can hold")
    text = value.text()
    return {"SecretBinary": value.data} if text is None else {"SecretString": text}
