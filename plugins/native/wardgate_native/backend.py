"""The native encrypted store as a backend like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath

from sqlalchemy import Connection
from wardgate.spi.backend import Backend, Health
from wardgate.spi.errors import InvalidValue, Malformed, TooLarge, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_native.declaration import DECLARATION, MAX_VALUE_BYTES
from wardgate_native.options import Options
from wardgate_native.store import changes
from wardgate_native.store.changes import Rules, Transition
from wardgate_native.store.head import Head
from wardgate_native.store.names import Names
from wardgate_native.store.rows import Rows, place_of

MAX_MEDIA_TYPE_BYTES = 255
NO_NAME = "a secret needs a name; the path ends at its mount"
VERSION_TABLE = "native_schema"
MIGRATIONS = FilePath(__file__).with_name("migrations")


class NativeBackend(Backend):
    """Secrets sealed one by one in the namespace's own file. Reads run at once, on the caller's thread."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    def __init__(self, options: Options, services: Services) -> None:
        self._options = options
        self._clock = services.clock
        self._storage = services.storage
        self._rows = Rows(services.keyring, services.mount)
        self._names = Names(services.keyring, services.mount)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """Return the current version, or the one of this id. See :class:`Backend`."""
        ordinal = None if version is None else changes.ordinal_of(version)
        with self._storage.reading() as connection:
            return self._rows.read(connection, path, ordinal, self._clock.now())

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Store a new version and make it current. See :class:`Backend`."""
        if len(value.data) > MAX_VALUE_BYTES:
            raise TooLarge(f"the value is longer than {MAX_VALUE_BYTES} bytes")
        if not 0 < len(value.media_type.encode()) <= MAX_MEDIA_TYPE_BYTES:
            raise InvalidValue(f"a media type has 1 to {MAX_MEDIA_TYPE_BYTES} bytes")
        head = await self._change(path, lambda rules: changes.write(value, expect, rules))
        assert head is not None
        return head.info(head.latest, head.updated_at)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """One page of the names directly below ``folder``. See :class:`Backend`."""
        if limit < 1:
            raise Malformed("the limit of a page must be at least 1")
        with self._storage.reading() as connection:
            return self._names.page(connection, folder, cursor, min(limit, self.capabilities.page_size))

    async def describe(self, path: Path) -> SecretInfo:
        """What is known of a secret without values, or the settings of the mount. See :class:`Backend`."""
        with self._storage.reading() as connection:
            if path.segments:
                return self._rows.head(connection, path).describe(self._clock.now())
            return self._describe_mount(self._rows.of_mount(connection))

    def _describe_mount(self, head: Head | None) -> SecretInfo:
        rules = Rules.of(self._options, head)
        settings = SecretSettings(rules.max_versions, rules.compare_and_set_required, rules.delete_after)
        created, updated = (head.created_at, head.updated_at) if head else (0, 0)
        return SecretInfo(None, (), created, updated, settings=settings)

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Replace the labels or merge into them, change the settings of a secret or the mount. See :class:`Backend`."""
        if labels is None and settings is None:
            return
        of_mount = not path.segments
        if of_mount and labels is not None:
            raise InvalidValue("a mount has settings and no labels; name a secret below it")
        transition = changes.annotate(labels, settings, merge=merge, of_mount=of_mount)
        now = self._clock.now()
        await self._storage.write(lambda connection: self._rows.change(connection, path, transition, now))

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Mark the current version, or those named, as deleted; what is not there is no error."""
        await self._change(path, lambda _: changes.delete(versions))

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover deleted and expired versions."""
        await self._change(path, lambda rules: changes.undelete(versions, rules))

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Shred those versions, or the whole secret; the latter works on a damaged one too."""
        if versions is not None:
            await self._change(path, lambda _: changes.destroy(versions))
            return
        if not path.segments:
            raise InvalidValue(NO_NAME)
        place = place_of(path)
        await self._storage.write(lambda connection: self._rows.remove(connection, place))

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Put ``stage`` on that version, or take it away. Raises VersionNotFound, Gone or InvalidValue."""
        await self._change(path, lambda _: changes.move_stage(stage, version))

    async def health(self) -> Health:
        """Whether the file answers."""
        try:
            with self._storage.reading() as connection:
                connection.exec_driver_sql("SELECT 1").one()
        except WardgateError as error:
            return Health(ok=False, detail=error.message)
        return Health(ok=True, detail="the store's file answers")

    async def _change(self, path: Path, ruled: Callable[[Rules], Transition]) -> Head | None:
        """One change in the next group commit; the head after it, or None when there was nothing to do.

        ``ruled`` makes the change under the mount's rules as they are in that same transaction.
        """
        if not path.segments:
            raise InvalidValue(NO_NAME)
        now = self._clock.now()

        def change(connection: Connection) -> Head | None:
            rules = Rules.of(self._options, self._rows.of_mount(connection))
            return self._rows.change(connection, path, ruled(rules), now)

        return await self._storage.write(change)


def open_native(options: Options, services: Services) -> Backend:
    """Bring the file's schema up to date and open the store. Raises Unavailable, or InvalidValue for bad options."""
    if not 1 <= options.max_versions <= changes.MAX_VERSIONS:
        raise InvalidValue(f"max_versions must be 1 to {changes.MAX_VERSIONS}")
    services.storage.migrate(MIGRATIONS, version_table=VERSION_TABLE)
    return NativeBackend(options, services)
