"""What a secret takes more than one request for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wardgate.spi.errors import (
    AlreadyExists,
    Conflict,
    OutcomeUnknown,
    PermissionDenied,
    SecretNotFound,
    Unavailable,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.path import Path
from wardgate.spi.values import VersionInfo, VersionState

from wardgate_gcp import shapes
from wardgate_gcp.names import NAMES
from wardgate_gcp.shapes import Known

if TYPE_CHECKING:
    from wardgate_gcp.client import Client

PAGE_SIZE = 25_000
"""The most that the service gives at once."""
ATTEMPTS = 3
"""Changes of what others may be changing too."""


class Secrets:
    """The secrets below one parent: a project, or a location of it."""

    def __init__(self, client: Client, project: str, location: str | None) -> None:
        self._client = client
        self.parent = f"projects/{project}/locations/{location}" if location else f"projects/{project}"
        # A regional secret is where it is; a global one must say that its place does not matter.
        self._new: dict[str, Any] = {} if location else {"replication": {"automatic": {}}}

    def name_of(self, path: Path) -> str:
        """The full name that a secret of this path is written under. Raises InvalidValue and TooLarge."""
        return f"{self.parent}/secrets/{NAMES.name_of(path)}"

    def existing(self, path: Path) -> str:
        """The full name of a secret to be asked for. Raises SecretNotFound where none can be."""
        return f"{self.parent}/secrets/{NAMES.existing(path)}"

    async def paths(self) -> Iterator[Path]:
        """Every secret that a path can name; made as they are gone through, which is not on the loop."""
        request = {"parent": self.parent, "page_size": PAGE_SIZE}
        names = [name async for name in self._client.names(request)]
        return (path for name in names if (path := NAMES.path_of(name.rpartition("/")[2])) is not None)

    async def versions(self, name: str, *, limit: int | None = None) -> tuple[Any, ...]:
        """The newest versions of a secret, or all of them, newest first."""
        request = {"parent": name, "page_size": limit or PAGE_SIZE}
        found: list[Any] = []
        async for version in self._client.versions(request):
            found.append(version)
            if len(found) == limit:
                break
        return tuple(sorted(found, key=lambda version: -shapes.number_of(version.name)))

    async def known(self, name: str) -> Known | None:
        """A secret with its two newest versions; None where there is none, or the credential sees values alone."""
        try:
            secret, versions = await asyncio.gather(
                self._client.ask("get_secret", {"name": name}), self.versions(name, limit=2)
            )
        except (SecretNotFound, PermissionDenied):
            return None
        return Known(secret, versions)

    async def info(self, name: str, number: int, known: Known) -> VersionInfo:
        """A version, asked for where it is not known yet."""
        version = known.version(number)
        if version is None:
            version = await self._client.ask("get_secret_version", {"name": f"{name}/versions/{number}"})
        return shapes.version_info(version, known.stages(number))

    async def gone(self, name: str, number: int | None) -> VersionInfo | None:
        """What is known of a version that cannot be read, as far as the credential may know it."""
        known = await self.known(name)
        if known is not None:
            info = await self.info(name, number or known.newest, known)
            if info.state is not VersionState.LIVE:
                return info
        elif number is None:
            return None
        # It may have been enabled since; what was refused then was not live.
        number = number or (known.newest if known else 0)
        return VersionInfo(id=str(number), ordinal=number, state=shapes.STATES["DISABLED"])

    async def why_absent(self, name: str) -> WardgateError:
        """The secret, or only its version: the service answers both alike."""
        try:
            await self._client.ask("get_secret", {"name": name})
        except (SecretNotFound, PermissionDenied):
            return SecretNotFound()
        return VersionNotFound()

    async def demand(self, name: str, number: int | None) -> None:
        """Raise VersionNotFound or SecretNotFound where there is no such version."""
        if number is not None:
            try:
                await self._client.ask("get_secret_version", {"name": f"{name}/versions/{number}"})
            except SecretNotFound:
                pass
            else:
                return
        raise await self.why_absent(name)

    async def create(self, name: str, *, anew: bool = False, **fields: Any) -> None:
        """Make a secret without a version. With ``anew`` one that is there already is AlreadyExists."""
        request = {
            "parent": self.parent,
            "secret_id": name.rpartition("/")[2],
            "secret": {**self._new, **fields},
        }
        try:
            await self._client.ask("create_secret", request, mutates=True)
        except AlreadyExists:
            # Another writer was first, which is as good, unless it is to be made with these fields.
            if anew:
                raise
            return
        except SecretNotFound:
            pass
        else:
            return
        raise Unavailable("the store has no such project; check 'project'")

    async def update(self, name: str, changed: Callable[[Any], Mapping[str, Any]]) -> None:
        """Change a secret as it is, and again as it is by then when somebody else changed it meanwhile."""
        for _ in range(ATTEMPTS):
            secret = await self._client.ask("get_secret", {"name": name})
            fields = changed(secret)
            request = {"secret": {"name": name, "etag": secret.etag, **fields}, "update_mask": {"paths": [*fields]}}
            try:
                await self._client.ask("update_secret", request, mutates=True)
            except Conflict:
                continue
            return
        raise Conflict("the secret was changed by others at the same time; try again")

    async def each(self, call: str, name: str, versions: Sequence[str]) -> None:
        """One call for each of these versions."""
        numbers = [shapes.parse_number(version) for version in versions]
        if None in numbers:
            raise await self.why_absent(name)
        for done, number in enumerate(numbers):
            try:
                await self._client.ask(call, {"name": f"{name}/versions/{number}"}, mutates=True)
            except Conflict:
                continue  # it is destroyed, and stays so
            except SecretNotFound:
                error = await self.why_absent(name)
            except WardgateError as problem:
                error = problem
            else:
                continue
            if done:
                raise OutcomeUnknown("some of the versions were changed and others not: look before you repeat it")
            raise error
