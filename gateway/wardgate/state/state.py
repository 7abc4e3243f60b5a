"""The state as a whole: opened once in each worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.server.epochs import Epochs, LocalEpochs
from wardgate.spi.errors import AlreadyExists, InvalidValue
from wardgate.spi.services import Clock, Storage
from wardgate.state import files, forged
from wardgate.state.approle import AppRole, insert_decoys
from wardgate.state.auth_methods import AuthMethods
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.failures import plainly
from wardgate.state.forged import Forged
from wardgate.state.grants import NAMESPACES, Grants
from wardgate.state.idempotency import IdempotencyKeys
from wardgate.state.installation import Installation, Seal, found, unseal
from wardgate.state.labels import LabelsOfPaths
from wardgate.state.ledger import Ledger
from wardgate.state.mounts import Mounts
from wardgate.state.namespaces import ROOT_NAMESPACE, Namespaces, insert_namespace
from wardgate.state.policies import Policies
from wardgate.state.principals import Principals
from wardgate.state.wrapping import Wrapping

FILE = "gateway.db"
STORES = "namespaces"
"""Folder, beside ``FILE``, of the native stores: a file for each namespace, named by its id."""
SCRIPTS = FilePath(__file__).parent / "migrations"
VERSION_TABLE = "gateway_version"


class State:
    """Namespaces, mounts, principals, policies, login methods, AppRole and the ledger, over one data folder."""

    def __init__(
        self, folder: FilePath, database: Database, installation: Installation, clock: Clock, epochs: Epochs
    ) -> None:
        codes = Codes(installation.root)
        grants = Grants(database, epochs)
        self.folder = folder
        self.installation = installation.id
        self.root = installation.root
        self.epochs = epochs
        self.namespaces = Namespaces(database, codes, clock, grants, installation.root)
        self.mounts = Mounts(database, codes, clock, grants, self.namespaces.keyring, self.make_store)
        self.methods = AuthMethods(database, codes, grants, installation.id)
        self.principals = Principals(database, codes, clock, grants, installation.root, self.methods)
        self.policies = Policies(database, codes, grants)
        self.labels = LabelsOfPaths(database, codes, grants)
        self.approle = AppRole(database, codes, clock, grants, installation.root, self.principals, self.methods)
        self.wrapping = Wrapping(database, codes, clock, self.namespaces.keyring, installation.root)
        self.idempotency = IdempotencyKeys(database, codes, clock, installation.root)
        self.ledger = Ledger(database)
        self._clock = clock
        self._codes = codes
        self._database = database
        self._grants = grants
        self._stores: dict[str, Database] = {}

    @classmethod
    def create(cls, folder: FilePath, seal: Seal, clock: Clock) -> State:
        """Make a data folder: the root key, the root namespace with its key, and an id of its own.

        Raises:
            AlreadyExists: there is data in the folder.
            Unavailable: the folder cannot be written.
        """
        file = folder / FILE
        with plainly(file):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            (folder / STORES).mkdir(mode=0o700, exist_ok=True)
            if file.exists():
                raise AlreadyExists(f"there is data in {folder} already; name another folder")
            files.make(folder / STORES / f"{ROOT_NAMESPACE}.db")
        database = _opened(file, clock)
        root = RootKey.generate()
        row = {"id": ROOT_NAMESPACE, "parent": None, "name": "", "created_at": clock.now()}

        def work(connection: Connection) -> Installation:
            insert_namespace(connection, Codes(root), root, row)
            insert_decoys(connection, Codes(root))
            return found(connection, root, seal, clock)

        try:
            return cls(folder, database, database.write_and_wait(work), clock, LocalEpochs())
        except BaseException as error:
            database.close_and_wait()
            if isinstance(error, IntegrityError):
                raise AlreadyExists(f"{folder} was initialised by another program at this moment") from None
            raise

    @classmethod
    def open(cls, folder: FilePath, seal: Seal, clock: Clock, epochs: Epochs) -> State:
        """Open a data folder.

        Raises:
            InvalidValue: there is no data in it.
            Sealed: the seal does not fit.
            Unavailable: the file is damaged, in use by another program, or written by a newer version.
        """
        file = folder / FILE
        if not file.exists():
            # Its key file was read already: there was data, and init would hide the loss.
            raise InvalidValue(
                f"{FILE} is missing: restore it with `wardgate backup restore FILE --to FOLDER`, into a new folder, "
                f"or correct the folder's name, {folder}"
            )
        database = _opened(file, clock)
        try:
            return cls(folder, database, unseal(database, seal), clock, epochs)
        except BaseException:
            database.close_and_wait()
            raise

    def keyring(self, namespace: str) -> NamespaceKeyring:
        """The namespace's keys. Raises Sealed when they are gone."""
        return self.namespaces.keyring(namespace)

    @property
    def storage(self) -> Storage:
        """The gateway's own file, as what serves every namespace is lent it."""
        return self._database

    def database(self, namespace: str) -> Database:
        """The file of the namespace's native store, opened at its first use; Unavailable then when it is missing."""
        store = self._stores.get(namespace)
        if store is None:
            self.namespaces.info(namespace)
            store = self._stores[namespace] = Database(self._store_file(namespace), self._clock, new=False)
        return store

    def make_store(self, namespace: str) -> None:
        """Make the file of a namespace's native store, unless it is there: for a mount, before its row is kept.

        Only where no mount can have anything in it: a file that is gone must be missed.

        Raises:
            Unavailable: the folder cannot be written.
        """
        file = self._store_file(namespace)
        with plainly(file):
            files.make(file)

    async def delete_namespace(self, namespace: str) -> None:
        """Delete an empty namespace, its keys and the file of its native store.

        Raises:
            Conflict: it has mounts or children.
        """
        await self.namespaces.delete(namespace)
        store = self._stores.pop(namespace, None)
        if store is not None:
            await store.close()
        for suffix in ("", "-wal", "-shm", ".lock"):
            file = self._store_file(namespace)
            file.with_name(file.name + suffix).unlink(missing_ok=True)

    def reconcile(self) -> None:
        """Forget what a process changed that died before it could say so; call it every 250 ms."""
        if NAMESPACES in self._grants.reconcile():
            for namespace in [each for each in self._stores if not self._known(each)]:
                self._stores.pop(namespace).close_and_wait()

    def check(self) -> None:
        """Raises Unavailable when the state cannot be read."""
        self._database.check()

    def forged(self) -> Iterator[Forged]:
        """All that other hands changed and that is refused: of every namespace, reading each row. Takes its time."""
        yield from forged.rows(self._database, self._codes)
        asks = (self.keyring, self.policies.of, self.labels.of, self.methods.of)
        yield from forged.sets(sorted(self.namespaces.ids()), asks)

    def committed(self, operation: str, namespaces: tuple[str, ...] | None = None) -> bool:
        """Whether the write of this audit id was committed, to the state or to a native store."""
        if self._database.committed(operation):
            return True
        known = namespaces if namespaces is not None else self.namespaces.ids()
        return any(
            self.database(namespace).committed(operation) for namespace in known if self._store_file(namespace).exists()
        )

    async def close(self) -> None:
        """Finish what is being written and close every file."""
        for store in (*self._stores.values(), self._database):
            await store.close()

    def _known(self, namespace: str) -> bool:
        return namespace in self.namespaces.ids()

    def _store_file(self, namespace: str) -> FilePath:
        return self.folder / STORES / f"{namespace}.db"


def _opened(file: FilePath, clock: Clock) -> Database:
    database = Database(file, clock)
    try:
        database.migrate(SCRIPTS, version_table=VERSION_TABLE)
    except BaseException:
        database.close_and_wait()
        raise
    return database
