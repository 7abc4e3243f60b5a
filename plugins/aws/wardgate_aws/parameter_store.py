"""SSM Parameter Store as a store: a secret is a SecureString parameter, its versions are numbers, its stages labels."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    InvalidValue,
    SecretNotFound,
    TooLarge,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.listing import Listing
from wardgate.spi.maps import from_text, to_text
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import (
    CURRENT,
    PREVIOUS,
    Expect,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
)

from wardgate_aws import probing
from wardgate_aws.client import Client
from wardgate_aws.declaration import ADVANCED_PARAMETERS, MAX_TEXT_BYTES, STANDARD_PARAMETERS
from wardgate_aws.names import Hierarchy
from wardgate_aws.options import ParameterStoreOptions
from wardgate_aws.shapes import ORDERED, parameter_info, understood
from wardgate_aws.tags import changes, labels_of, tags_of

PAGE = 50
REFERENCE = "{{"
"""The store refuses a value that could refer to another parameter."""
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_STAGE = re.compile(r"(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}", re.IGNORECASE)


class ParameterStoreBackend(Backend):
    """The parameters of one region below one prefix. A delete is final; there is no compare-and-set."""

    def __init__(self, options: ParameterStoreOptions, clock: Clock) -> None:
        self._metadata = options.metadata
        declaration = ADVANCED_PARAMETERS if options.tier == "Advanced" else STANDARD_PARAMETERS
        self.capabilities, self.notes = declaration.capabilities, declaration.notes
        self._client = Client(options, "ssm", clock)
        self._hierarchy = Hierarchy(options.prefix)
        self._questions = (*probing.PARAMETER_STORE, probing.ENCRYPTING[options.tier])
        self._max_bytes = MAX_TEXT_BYTES[options.tier]
        self._listing = Listing(self._paths, clock)
        self._made: dict[str, Any] = {"Type": "SecureString", "Tier": options.tier, "Overwrite": True}
        if options.kms_key_id is not None:
            self._made["KeyId"] = options.kms_key_id

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this number; with ``metadata`` its stages and labels too."""
        name = self._hierarchy.existing(path)
        if version is not None and not _NUMBER.fullmatch(version):
            await self._history(name)
            raise VersionNotFound
        selector = name if version is None else f"{name}:{version}"
        answer = await self._client.call("get_parameter", holds="Parameter", Name=selector, WithDecryption=True)
        versions: Sequence[VersionInfo] = ()
        labels: Mapping[str, str] = {}
        if self._metadata:
            versions, labels = await asyncio.gather(self._history(name), self._labels(name))
        with understood():
            found = answer["Parameter"]
            text, number = found["Value"], str(found["Version"])
            # Whoever writes between the two questions makes a version that the history does not tell yet.
            alone = parameter_info(found, frozenset({CURRENT} if version is None else ()))
            info = next((info for info in versions if info.id == number), alone)
            return SecretVersion(info=info, value=from_text(text), labels=labels)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Put a new version. It is sent once: a repeated one would make another version."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        name, text = self._hierarchy.name_of(path), to_text(value, unfit=REFERENCE)
        if not text:
            raise InvalidValue("this store cannot hold an empty value")
        if len(text.encode()) > self._max_bytes:
            raise TooLarge(f"the value takes more than the {self._max_bytes} bytes of text there are")
        put = await self._client.call(
            "put_parameter", holds="Version", mutates=True, Name=name, Value=text, **self._made
        )
        number = int(put["Version"])
        # The answer does not tell the time, and a write that is done is not to fail for that.
        with suppress(WardgateError, KeyError):
            asked = await self._client.call("get_parameter", Name=f"{name}:{number}", WithDecryption=False)
            put = asked["Parameter"]
        return parameter_info({**put, "Version": number}, frozenset({CURRENT}))

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """The versions that are kept, with their stages, and the labels; nothing is decrypted."""
        name = self._hierarchy.existing(path)
        versions, labels = await asyncio.gather(self._history(name), self._labels(name))
        return SecretInfo(
            current=versions[-1],
            versions=tuple(versions),
            created_at=versions[0].created_at,
            updated_at=versions[-1].created_at,
            labels=labels,
        )

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Change the tags. There must be a parameter to carry them."""
        if settings is not None or not path.segments:
            raise Unsupported("this store keeps no settings")
        if labels is None:
            return
        name = self._hierarchy.existing(path)
        removed, given = changes(await self._labels(name), labels, merge=merge)
        of = {"ResourceType": "Parameter", "ResourceId": name}
        # In this order a refused label takes none away.
        if given:
            await self._change("add_tags_to_resource", Tags=tags_of(given), **of)
        if removed:
            await self._change("remove_tags_from_resource", TagKeys=removed, **of)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the parameter for ever, with all its versions."""
        if versions is not None:
            raise Unsupported("this store cannot delete single versions")
        await self._client.call("delete_parameter", mutates=True, Name=self._hierarchy.existing(path))

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put a label on a version, or take it away. The store itself moves it from another version."""
        if stage in ORDERED:
            raise Unsupported("the newest version of this store is always the current one")
        if not _STAGE.fullmatch(stage):
            raise InvalidValue(
                "a stage in this store is 1 to 100 letters, digits and '_.-', and begins with no digit, 'aws' or 'ssm'"
            )
        name = self._hierarchy.existing(path)
        versions = await self._history(name)
        label = {"Name": name, "Labels": [stage]}
        if version is None:
            for info in (info for info in versions if stage in info.stages):
                await self._change("unlabel_parameter_version", ParameterVersion=info.ordinal, **label)
            return
        if version not in {info.id for info in versions}:
            raise VersionNotFound
        answer = await self._change("label_parameter_version", ParameterVersion=int(version), **label)
        if answer.get("InvalidLabels"):
            raise InvalidValue("the store refuses a stage of that name")

    async def health(self) -> Health:
        """Whether the store answers a question for a parameter that cannot be there."""
        return await probing.health(self._client, self._questions, self._hierarchy.nobody())

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right, of a parameter that cannot be there."""
        return await probing.permissions(self._client, self._questions, self._hierarchy.nobody())

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._client.close()

    async def _change(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._client.call(method, mutates=True, idempotent=True, **params)

    async def _history(self, name: str) -> Sequence[VersionInfo]:
        """The versions from the oldest to the newest, of which there is at least one."""
        told = await self._client.pages(
            "get_parameter_history", "Parameters", Name=name, WithDecryption=False, MaxResults=PAGE
        )
        with understood():
            found = {int(item["Version"]): item for item in told}
            order = sorted(found)
            place = dict(zip(order[:-3:-1], (CURRENT, PREVIOUS), strict=False))
            versions = [
                parameter_info(found[number], frozenset({place[number]} if number in place else ())) for number in order
            ]
        if not versions:
            raise SecretNotFound
        return versions

    async def _labels(self, name: str) -> Mapping[str, str]:
        answer = await self._client.call(
            "list_tags_for_resource", holds="TagList", ResourceType="Parameter", ResourceId=name
        )
        with understood():
            return labels_of(answer["TagList"])

    async def _paths(self) -> Iterable[Path]:
        below = {"Key": "Name", "Option": "BeginsWith", "Values": [self._hierarchy.prefix]}
        # Names without a slash belong to the whole hierarchy too, and begin with none.
        which: dict[str, Any] = {"ParameterFilters": [below]} if self._hierarchy.prefix != "/" else {}
        return self._shown(await self._client.pages("describe_parameters", "Parameters", MaxResults=PAGE, **which))

    def _shown(self, told: Sequence[Mapping[str, Any]]) -> Iterator[Path]:
        with understood():
            names = [str(item["Name"]) for item in told]
        yield from (path for name in names if (path := self._hierarchy.path_of(name)) is not None)
