"""The ways to log in: of each namespace one set, vouched for as a whole.

What a namespace begins with has no row: ``token/``, and ``approle/`` until it is disabled. A row says what was changed
of that, or added to it.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.sqlite import insert

from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound
from wardgate.spi.operations.methods import APPROLE, RESERVED, TOKEN, MethodInfo
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants
from wardgate.state.trees import forget_method
from wardgate.state.vouched import Rows, VouchedSets

KIND = "auth methods"
MAX_METHODS = 100
"""Methods of one namespace that are not there from its beginning, the disabled ``approle/`` included."""

_BUILT_IN = {APPROLE: "machines that prove a role", TOKEN: "token based credentials"}
_DISABLED = "null"


class AuthMethods:
    """Reads and changes the sets."""

    def __init__(self, database: Database, codes: Codes, grants: Grants, installation: str) -> None:
        name, method = tables.auth_methods.c.name, tables.auth_methods.c.method
        self._first = {
            name: MethodInfo(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{installation}/{name}")), name, name, description)
            for name, description in _BUILT_IN.items()
        }
        self._sets = VouchedSets(
            KIND, tables.auth_method_sets, name, method, database, codes, grants, self._set_of, founded=False
        )

    def of(self, namespace: str) -> Mapping[str, MethodInfo]:
        """All of a namespace, by name, as committed now.

        Raises:
            Unavailable: the set was changed outside the gateway: a row edited, added, removed, or an old set put back.
        """
        return self._sets.of(namespace)

    def at(self, namespace: str, name: str) -> MethodInfo:
        """One. Raises SecretNotFound."""
        return _at(self.of(namespace), name)

    def check(self, connection: Connection, namespace: str, method: MethodInfo) -> None:
        """Refuse what is about to be done for a method that this transaction no longer sees. Raises SecretNotFound."""
        if _at(self._sets.seen(connection, namespace), method.name).id != method.id:
            raise SecretNotFound(f"there is no way to log in at {method.name}/ any more; it was disabled")

    def key(self, method: MethodInfo) -> str:
        """What the roles of a method have in their column ``login_method_id``."""
        return "" if method.id == self._first[APPROLE].id else method.id

    async def enable(self, namespace: str, method: MethodInfo) -> None:
        """Add one, which the caller has validated.

        Raises:
            AlreadyExists: the name is taken, in any spelling of its case.
            InvalidValue: the name is reserved, or there are too many.
        """
        name = method.name.casefold()

        def work(connection: Connection, before: dict[str, str]) -> None:
            if name in map(str.casefold, self._set_of(list(before.items()))):
                raise AlreadyExists(f"there is a way to log in at {method.name}/ already")
            if name in RESERVED:
                raise InvalidValue(f"the name {name!r} is reserved; choose another")
            if method.name not in before and len(before) >= MAX_METHODS:
                raise InvalidValue(f"a namespace can have at most {MAX_METHODS} login methods of its own")
            _keep(connection, namespace, method.name, _text(method))

        await self._sets.change(namespace, work)

    async def tune(self, namespace: str, name: str, tuned: Callable[[MethodInfo], MethodInfo]) -> MethodInfo:
        """Keep what can change of one.

        ``tuned`` is given it as it is when its turn has come: what others change at the same time stays.

        Raises:
            SecretNotFound: there is none.
        """

        def work(connection: Connection, before: dict[str, str]) -> MethodInfo:
            method = tuned(_at(self._set_of(list(before.items())), name))
            _keep(connection, namespace, name, _text(method))
            return method

        return await self._sets.change(namespace, work)

    async def disable(self, namespace: str, name: str) -> None:
        """End one, and in the same transaction its roles, their secret ids, and the tokens that these brought.

        Raises:
            SecretNotFound: there is none.
        """

        def work(connection: Connection, before: dict[str, str]) -> None:
            method = _at(self._set_of(list(before.items())), name)
            forget_method(connection, namespace, method.id, self.key(method))
            if name in self._first:
                _keep(connection, namespace, name, _DISABLED)
                return
            table = tables.auth_methods
            connection.execute(delete(table).where((table.c.namespace == namespace) & (table.c.name == name)))

        await self._sets.change(namespace, work, also=[("principals", namespace)])

    def _set_of(self, rows: Rows) -> Mapping[str, MethodInfo]:
        found = dict(self._first)
        for name, text in rows:
            if text == _DISABLED:
                del found[name]
            else:
                found[name] = MethodInfo(name=name, **json.loads(text))
        return dict(sorted(found.items()))


def _at(methods: Mapping[str, MethodInfo], name: str) -> MethodInfo:
    if name not in methods:
        raise SecretNotFound(f"there is no way to log in at {name[:80]}/")
    return methods[name]


def _text(method: MethodInfo) -> str:
    kept = dataclasses.asdict(method)
    del kept["name"]
    return json.dumps(kept, separators=(",", ":"))


def _keep(connection: Connection, namespace: str, name: str, text: str) -> None:
    row = {"namespace": namespace, "name": name, "method": text}
    statement = insert(tables.auth_methods).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["namespace", "name"], set_=row))
