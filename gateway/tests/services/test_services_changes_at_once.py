"""Changes that are under way at the same time: none is lost, and none comes after the end of what it is made to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.spi.errors import Conflict, SecretNotFound
from wardgate.spi.operations.approle import DeleteRole, ReadRole, Role, WriteRole, roles_of
from wardgate.spi.operations.methods import METHODS, MethodInfo, ReadMethod, TuneMethod
from wardgate.spi.operations.namespaces import NAMESPACES, CreateNamespace, DeleteNamespace
from wardgate.spi.operations.secrets import Absent
from wardgate.state.tokens import new_id

from tests.support.login_methods import enable

HOUR = 3_600 * 10**9
CI = METHODS.child("ci")
APP = roles_of("approle").child("app")


def test_tunings_of_a_method_all_hold(desk: Any) -> None:
    """None is made to the method as it was before the others: a bound stays one."""
    enable(desk)
    desk.do_at_once(TuneMethod(path=CI, description="b"), TuneMethod(path=CI, max_lease_ttl=HOUR))
    method = desk.do(ReadMethod(path=CI))
    assert ("b", HOUR) == (method.description, method.max_lease_ttl)


def test_a_role_is_written_where_it_is_what_was_read(desk: Any) -> None:
    """Of two who read the same, the second is told; so is who read one that was deleted, or read none and finds one."""
    first = Role("app", ("default",))
    desk.do(WriteRole(path=APP, role=first, expect=Absent()))
    read = desk.do(ReadRole(path=APP))
    wider, longer = Role("app", ("default",), token_ttl=HOUR), Role("app", ("default",), token_uses=3)
    seen = desk.do_at_once(*(WriteRole(path=APP, role=role, expect=read) for role in (wider, longer)))
    assert [type(None), Conflict] == [type(one) for one in seen]
    assert HOUR == desk.do(ReadRole(path=APP)).token_ttl
    with pytest.raises(Conflict):
        desk.do(WriteRole(path=APP, role=first, expect=Absent()))
    desk.do(DeleteRole(path=APP))
    with pytest.raises(Conflict):
        desk.do(WriteRole(path=APP, role=first, expect=wider))
    with pytest.raises(SecretNotFound):
        desk.do(ReadRole(path=APP))


def test_nothing_is_written_into_a_namespace_that_is_gone(desk: Any) -> None:
    """By a request that was under way when it was deleted: nobody would ever sweep it."""
    team = desk.do(CreateNamespace(path=NAMESPACES.child("team"))).namespace.id
    desk.do(DeleteNamespace(path=NAMESPACES.child("team")))
    state = desk.state
    late = (
        state.methods.enable(team, MethodInfo(new_id(), "ci", "approle")),
        state.approle.write(team, Role("late")),
        state.labels.change(team, APP, {"a": "b"}),
    )
    for change in late:
        with pytest.raises(SecretNotFound):
            asyncio.run(change)
