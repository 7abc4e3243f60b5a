"""Tokens that end together: those a token made, and those that these made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select

from wardgate.spi.errors import InvalidValue
from wardgate.state.lives import NEVER
from wardgate.state.tables import principals, roles, secret_ids

MAX_GENERATIONS = 32
"""Tokens between an orphan and the youngest below it."""
MAX_CHILDREN = 100_000
"""Tokens that one token can have made and that have not ended."""

_SWEPT = 16
_BY_ID = select(principals).where(
    (principals.c.namespace == bindparam("namespace")) & (principals.c.id == bindparam("id"))
)
_CHILDREN = select(func.count()).where(principals.c.parent == bindparam("id"))


def _below(which: ColumnElement[bool]) -> Any:
    """DELETE of these tokens and of all below them."""
    tree = select(principals.c.id).where(which).cte("tree", recursive=True)
    # UNION, not UNION ALL: a circle, which only a foreign hand can make, ends.
    tree = tree.union(select(principals.c.id).where(principals.c.parent == tree.c.id))
    return delete(principals).where(principals.c.id.in_(select(tree.c.id)))


def _few(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return principals.c.id.in_(select(principals.c.id).where(which).limit(bindparam("few")))


# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_END = _below((principals.c.namespace == bindparam("namespace")) & (principals.c.id == bindparam("id")))
_END_OF_ROLE = _below(principals.c.role == bindparam("role"))
_OF_METHOD = (roles.c.namespace == bindparam("namespace")) & (roles.c.login_method_id == bindparam("of_roles"))
_BROUGHT = (principals.c.namespace == bindparam("namespace")) & (principals.c.login_method_id == bindparam("method"))
# Those of before the id was kept are known by their role.
_END_OF_METHOD = _below(_BROUGHT | principals.c.role.in_(select(roles.c.id).where(_OF_METHOD)))
_SECRET_IDS_OF_METHOD = delete(secret_ids).where(secret_ids.c.role.in_(select(roles.c.id).where(_OF_METHOD)))
_ROLES_OF_METHOD = delete(roles).where(_OF_METHOD)
_SWEEP_EXPIRED = _below(_few(principals.c.expires_at <= bindparam("now")))
_SWEEP_USED_UP = _below(_few(principals.c.uses_left == 0))


def end(connection: Connection, namespace: str, token_id: str) -> None:
    """Delete a token and all below it."""
    connection.execute(_END, {"namespace": namespace, "id": token_id})


def forget_role(connection: Connection, role: str) -> None:
    """Delete the tokens a role brought, and all below them."""
    connection.execute(_END_OF_ROLE, {"role": role})


def forget_method(connection: Connection, namespace: str, method: str, of_roles: str) -> None:
    """Delete the tokens that a login method brought, its roles, and their secret ids.

    Args:
        connection: in a transaction.
        namespace: its id.
        method: the id of the login method.
        of_roles: what its roles have for that id.
    """
    mine = {"namespace": namespace, "of_roles": of_roles}
    connection.execute(_END_OF_METHOD, {**mine, "method": method})
    for statement in (_SECRET_IDS_OF_METHOD, _ROLES_OF_METHOD):
        connection.execute(statement, mine)


def sweep(connection: Connection, now: int, *, few: int = _SWEPT) -> None:
    """Delete some tokens that have ended, and all below them: more than are added, so that they never pile up."""
    connection.execute(_SWEEP_EXPIRED, {"now": now, "few": few})
    connection.execute(_SWEEP_USED_UP, {"few": few})


def ends_at(connection: Connection, row: Mapping[str, Any], holds: Callable[[Mapping[str, Any]], bool]) -> int | None:
    """When a token ends, or one above it does if that is earlier; None: one above it is not there or does not hold.

    Args:
        connection: for reading those above.
        row: the token's, which holds.
        holds: whether a row is genuine and has not ended.
    """
    earliest = NEVER
    for _ in range(MAX_GENERATIONS + 1):
        earliest = min(earliest, NEVER if row["expires_at"] is None else row["expires_at"])
        if row["parent"] is None:
            return earliest
        above = connection.execute(_BY_ID, {"namespace": row["namespace"], "id": row["parent"]}).mappings().first()
        if above is None or not holds(dict(above)):
            return None
        row = dict(above)
    return None


def check_room(connection: Connection, namespace: str, parent: str) -> None:
    """Refuse one more child. Raises InvalidValue when there are too many, or too many generations."""
    if connection.execute(_CHILDREN, {"id": parent}).scalar_one() >= MAX_CHILDREN:
        raise InvalidValue(f"a token can have at most {MAX_CHILDREN} tokens below it; revoke some, or make an orphan")
    above: str | None = parent
    for _ in range(MAX_GENERATIONS):
        row = connection.execute(_BY_ID, {"namespace": namespace, "id": above}).mappings().first()
        above = row["parent"] if row else None
        if above is None:
            return
    raise InvalidValue(f"tokens make tokens for at most {MAX_GENERATIONS} generations")
