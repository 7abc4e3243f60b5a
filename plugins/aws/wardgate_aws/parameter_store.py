"""SSM Parameter Store as a store: a secret is a SecureString parameter, its versions are numbers, its stages labels.

The path ``a/b`` is the parameter ``/a/b``, or the one of that name below the option ``prefix``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import secrets
import string
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.errors import (
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    SecretNotFound,
    TooLarge,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.listing import Listing
from wardgate.spi.maps import from_text, to_text
from wardgate.spi.names import Names
from wardgate.spi.options import option
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_aws.client import Client
from wardgate_aws.options import Options, check
from wardgate_aws.parameter_tags import changes, readable

MAX_NAME = 1_011
MAX_PREFIX = 111
MAX_LEVELS = 15
PAGE = 50
ABSENT = "there is no secret of that path"
NO_VERSION = "the secret has no such version"
_RESERVED = ("aws", "ssm")
_PREFIX = re.compile(r"/|(?:/[A-Za-z0-9_.-]+)+/?")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_STAGE = re.compile(r"(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}", re.IGNORECASE)
_ORDERED = frozenset({"current", "previous"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStoreOptions(Options):
    """Options of the backend type ``aws-parameter-store``."""

    prefix: str = option(help="the part of the hierarchy that the mount shows, such as /team/", default="/")
    metadata: bool = option(
        help="tell labels and stages with each read, which costs two more requests to the store", default=False
    )
    kms_key_id: str | None = option(help="the KMS key of new versions; without it the account's own", default=None)
    tier: Literal["Standard", "Advanced"] = option(help="Advanced holds 8 KiB, and costs", default="Standard")


STANDARD = Declaration(
    name="Standard tier",
    capabilities=Capabilities(
        write=True, list=True, describe=True, labels=True, versions=True, ordinals=True, delete=True, stages=True,
        min_value_bytes=1, max_value_bytes=4_096, max_path_bytes=MAX_NAME - MAX_PREFIX,
    ),
    notes=MappingProxyType({
        "compare_and_set": "a parameter is overwritten whatever version it has",
        "labels": "they are the parameter's tags",
        "empty_secrets": "a tag needs a parameter, and a parameter has a value",
        "settings": "a parameter keeps its last 100 versions, and that cannot be set",
        "mount_settings": "the store has none",
        "ordinals": "a secret that is written again after a delete counts from 1 again",
        "delete_versions": "a parameter is deleted as a whole",
        "undelete": "a delete is final in this store",
        "destroy": "a delete is final in this store",
        "destroy_versions": "a parameter is deleted as a whole",
        "stages": "they are the labels of a parameter's versions; current and previous follow the versions' order",
        "move_current": "the newest version is always the current one",
        "expiry": "policies end whole parameters, not versions",
        "media_types": "the store holds text alone; bytes travel as JSON that holds them as base64, a third longer",
    }),
)  # fmt: skip
ADVANCED = dataclasses.replace(
    STANDARD, name="Advanced tier", capabilities=dataclasses.replace(STANDARD.capabilities, max_value_bytes=8_192)
)


class ParameterStoreBackend(Backend):
    """The parameters of one region below one prefix. A delete is final; there is no compare-and-set."""

    def __init__(self, options: ParameterStoreOptions, services: Services) -> None:
        self._metadata = options.metadata
        declaration = ADVANCED if options.tier == "Advanced" else STANDARD
        self.capabilities, self.notes = declaration.capabilities, declaration.notes
        self._client = Client(options, "ssm")
        self._prefix = options.prefix.rstrip("/") + "/"
        self._names = Names(
            plain=string.ascii_letters + string.digits + "_.-", escape="_x", max_length=MAX_NAME - len(self._prefix)
        )
        self._listing = Listing(self._paths, services.clock)
        self._made: dict[str, Any] = {"Type": "SecureString", "Tier": options.tier, "Overwrite": True}
        if options.kms_key_id is not None:
            self._made["KeyId"] = options.kms_key_id

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the newest version, or the one of this number; with ``metadata`` its stages and labels too."""
        name = self._known(path)
        if version is not None and not _NUMBER.fullmatch(version):
            await self._history(name)
            raise VersionNotFound(NO_VERSION)
        selector = name if version is None else f"{name}:{version}"
        answer = await self._client.call("get_parameter", Name=selector, WithDecryption=True)
        versions: Sequence[VersionInfo] = ()
        labels: Mapping[str, str] = {}
        if self._metadata:
            versions, labels = await asyncio.gather(self._history(name), self._tags(name))
        with _understood():
            found = answer["Parameter"]
            text, number = found["Value"], str(found["Version"])
            # Whoever writes between the two questions makes a version that the history does not tell yet.
            alone = _info(found, {"current"} if version is None else set())
            info = next((info for info in versions if info.id == number), alone)
        return SecretVersion(info=info, value=from_text(text), labels=readable(labels))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Put a new version. It is sent once: a repeated one would make another version."""
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        name, text = self._name(path), to_text(value)
        if not text:
            raise InvalidValue("this store cannot hold an empty value")
        if len(text.encode()) > self.capabilities.max_value_bytes:
            raise TooLarge(f"the value takes more than the {self.capabilities.max_value_bytes} bytes of text there are")
        answer = await self._client.call("put_parameter", mutates=True, Name=name, Value=text, **self._made)
        try:
            made = {"Version": int(answer["Version"])}
        except (KeyError, TypeError, ValueError):
            made = {}
        if not made:
            raise OutcomeUnknown("the store's answer to a write names no version; read before you repeat it")
        # The answer does not tell the time, and a write that is done is not to fail for that.
        with suppress(WardgateError, KeyError):
            asked = await self._client.call("get_parameter", Name=f"{name}:{made['Version']}", WithDecryption=False)
            made = asked["Parameter"]
        return _info(made, {"current"})

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names below a folder."""
        return await self._listing.page(folder, cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """The versions that are kept, with their stages, and the labels; nothing is decrypted."""
        name = self._known(path)
        versions, labels = await asyncio.gather(self._history(name), self._tags(name))
        return SecretInfo(
            current=versions[-1],
            versions=tuple(versions),
            created_at=versions[0].created_at,
            updated_at=versions[-1].created_at,
            labels=readable(labels),
        )

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Change the tags: first those that go, then those that come. There must be a parameter to carry them."""
        if settings is not None or not path.segments:
            raise Unsupported("this store keeps no settings")
        if labels is None:
            return
        name = self._known(path)
        taken, given = changes(await self._tags(name), labels, merge=merge)
        of = {"ResourceType": "Parameter", "ResourceId": name}
        if taken:
            await self._change("remove_tags_from_resource", TagKeys=taken, **of)
        if given:
            tags = [{"Key": key, "Value": value} for key, value in given.items()]
            await self._change("add_tags_to_resource", Tags=tags, **of)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete the parameter for ever, with all its versions."""
        if versions is not None:
            raise Unsupported("this store cannot delete single versions")
        await self._client.call("delete_parameter", mutates=True, Name=self._known(path))

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put a label on a version, or take it away. The store itself moves it from another version."""
        if stage in _ORDERED:
            raise Unsupported("the newest version of this store is always the current one")
        if not _STAGE.fullmatch(stage):
            raise InvalidValue(
                "a stage in this store is 1 to 100 letters, digits and '_.-', and begins with no digit, 'aws' or 'ssm'"
            )
        name = self._known(path)
        versions = await self._history(name)
        label = {"Name": name, "Labels": [stage]}
        if version is None:
            for info in (info for info in versions if stage in info.stages):
                await self._change("unlabel_parameter_version", ParameterVersion=info.ordinal, **label)
            return
        if version not in {info.id for info in versions}:
            raise VersionNotFound(NO_VERSION)
        answer = await self._change("label_parameter_version", ParameterVersion=int(version), **label)
        if answer.get("InvalidLabels"):
            raise InvalidValue("the store refuses a stage of that name")

    async def health(self) -> Health:
        """Whether the store answers a question for a parameter that cannot be there."""
        try:
            await self._client.call("get_parameter", Name=self._nobody(), WithDecryption=False)
        except SecretNotFound:
            pass
        except WardgateError as error:
            return Health(ok=False, detail=error.message)
        return Health(ok=True, detail="the store answers")

    async def probe(self) -> Sequence[Permission]:
        """Ask for each right, of a parameter that cannot be there."""
        name = self._nobody()
        label = {"Name": name, "ParameterVersion": 1, "Labels": ["wardgate-probe"]}
        tagged = {"ResourceType": "Parameter", "ResourceId": name}
        return [
            await self._ask("GetParameter", {"read", "write"}, "get_parameter", Name=name, WithDecryption=False),
            await self._ask("GetParameterHistory", {"read", "describe", "stages"}, "get_parameter_history", Name=name),
            await self._ask("ListTagsForResource", {"read", "describe", "labels"}, "list_tags_for_resource", **tagged),
            await self._ask("DescribeParameters", {"list"}, "describe_parameters", MaxResults=1),
            await self._ask("DeleteParameter", {"delete"}, "delete_parameter", Name=name),
            await self._ask("LabelParameterVersion", {"stages"}, "label_parameter_version", **label),
            await self._ask("UnlabelParameterVersion", {"stages"}, "unlabel_parameter_version", **label),
            await self._ask(
                "AddTagsToResource", {"labels"}, "add_tags_to_resource", Tags=[{"Key": "a", "Value": "b"}], **tagged
            ),
            await self._ask("RemoveTagsFromResource", {"labels"}, "remove_tags_from_resource", TagKeys=["a"], **tagged),
            Permission("ssm:PutParameter", frozenset({"write"}), granted=None),
            Permission("kms:Decrypt", frozenset({"read"}), granted=None),
            Permission(self._encrypting(), frozenset({"write"}), granted=None),
        ]

    async def close(self) -> None:
        """Give back threads and connections."""
        await self._client.close()

    async def _ask(self, action: str, needed_for: set[str], method: str, **params: Any) -> Permission:
        from wardgate_aws.errors import NOT_ALLOWED  # noqa: PLC0415  # it needs the SDK

        granted: bool | None = True
        try:
            await self._client.call(method, **params)
        except (SecretNotFound, VersionNotFound):
            pass
        except PermissionDenied as error:
            if error.message != NOT_ALLOWED:
                raise
            granted = False
        except Unavailable:
            if method == "get_parameter":
                raise  # nothing is answered at all
            granted = None
        except WardgateError:
            granted = None
        return Permission(f"ssm:{action}", frozenset(needed_for), granted=granted)

    async def _change(self, method: str, **params: object) -> dict[str, Any]:
        return await self._client.call(method, mutates=True, idempotent=True, **params)

    async def _history(self, name: str) -> Sequence[VersionInfo]:
        """The versions from the oldest to the newest, of which there is at least one."""
        pages = self._pages("get_parameter_history", "Parameters", Name=name, WithDecryption=False)
        found = {int(item["Version"]): item async for item in pages}
        if not found:
            raise SecretNotFound(ABSENT)
        order = sorted(found)
        place = dict(zip(order[:-3:-1], ("current", "previous"), strict=False))
        with _understood():
            return [_info(found[number], {place[number]} if number in place else set()) for number in order]

    async def _tags(self, name: str) -> dict[str, str]:
        answer = await self._client.call("list_tags_for_resource", ResourceType="Parameter", ResourceId=name)
        with _understood():
            return {tag["Key"]: tag["Value"] for tag in answer.get("TagList", ())}

    async def _paths(self) -> Sequence[Path]:
        below = [{"Key": "Name", "Option": "BeginsWith", "Values": [self._prefix]}]
        names = [
            item["Name"] async for item in self._pages("describe_parameters", "Parameters", ParameterFilters=below)
        ]
        own = (name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix))
        paths = (self._names.path_of(name) for name in own)
        return [path for path in paths if path is not None and self._allowed(path)]

    async def _pages(self, method: str, key: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        token: dict[str, Any] = {}
        while True:
            answer = await self._client.call(method, MaxResults=PAGE, **params, **token)
            for item in answer.get(key, ()):
                yield item
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def _allowed(self, path: Path) -> bool:
        """Whether the store lets a customer have a parameter of this name at all."""
        first = (self._prefix + str(path)).lstrip("/").lower()
        return bool(path.segments) and not first.startswith(_RESERVED)

    def _name(self, path: Path) -> str:
        if not self._allowed(path):
            raise InvalidValue("this store keeps names that begin with 'aws' or 'ssm' to itself, and no root")
        name = self._prefix + self._names.name_of(path)
        if name.count("/") > MAX_LEVELS:
            raise TooLarge(f"the path has more than the {MAX_LEVELS} levels this store can hold, the prefix's included")
        return name

    def _known(self, path: Path) -> str:
        """The name of a parameter to be asked for: one that cannot be is not there."""
        with suppress(InvalidValue, TooLarge):
            return self._name(path)
        raise SecretNotFound(ABSENT)

    def _nobody(self) -> str:
        return f"{self._prefix}wardgate-probe-{secrets.token_hex(8)}"

    def _encrypting(self) -> str:
        # The tiers encrypt in different ways.
        return "kms:GenerateDataKey" if self._made["Tier"] == "Advanced" else "kms:Encrypt"


@contextmanager
def _understood() -> Iterator[None]:
    """An answer to a question that is none of Parameter Store's is an endpoint that is none."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        broken = True
    else:
        broken = False
    if broken:
        raise Unavailable("the answer is not one of Parameter Store's; check 'endpoint'")


def _info(item: Mapping[str, Any], stages: set[str]) -> VersionInfo:
    """A version as the store tells it. Its labels are the version's stages."""
    number = int(item["Version"])
    at = item.get("LastModifiedDate")
    return VersionInfo(
        id=str(number),
        ordinal=number,
        # To the millisecond, as the store tells it.
        created_at=0 if at is None else round(at.timestamp() * 1_000) * 1_000_000,
        stages=frozenset(item.get("Labels", ())) - _ORDERED | stages,
    )


def _open(options: ParameterStoreOptions, services: Services) -> ParameterStoreBackend:
    check(options)
    if not _PREFIX.fullmatch(options.prefix) or len(options.prefix) >= MAX_PREFIX:
        raise InvalidValue(f"option 'prefix' must be like /team/, of letters, digits and '_.-', below {MAX_PREFIX}")
    if options.prefix.lstrip("/").lower().startswith(_RESERVED):
        raise InvalidValue("option 'prefix' begins with 'aws' or 'ssm', which the store keeps to itself")
    if options.kms_key_id == "":
        raise InvalidValue("option 'kms_key_id' is empty; leave it out for the account's own key")
    return ParameterStoreBackend(options, services)


BACKEND = BackendType(
    name="aws-parameter-store",
    help="AWS Systems Manager Parameter Store: encrypted parameters with numbered versions",
    open=_open,
    options=ParameterStoreOptions,
    declarations=(STANDARD, ADVANCED),
)
