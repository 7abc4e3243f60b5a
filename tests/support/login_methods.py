"""Login methods of a desk's: enabled, tuned and disabled, with roles that are proved there."""

from __future__ import annotations

from typing import Any

from wardgate.spi.operations.approle import CreateSecretId, Login, ReadRoleId, Role, WriteRole, roles_of
from wardgate.spi.operations.methods import METHODS, DisableMethod, EnableMethod, MethodInfo, TuneMethod
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path


def enable(desk: Any, name: str = "ci", within: str = "root", **more: Any) -> MethodInfo:
    """AppRole under that name."""
    made: MethodInfo = desk.do(EnableMethod(path=METHODS.child(name), type="approle", **more), namespace=within)
    return made


def tune(desk: Any, name: str, **more: Any) -> MethodInfo:
    """The method with what is given."""
    tuned: MethodInfo = desk.do(TuneMethod(path=METHODS.child(name), **more))
    return tuned


def disable(desk: Any, name: str) -> None:
    """End it."""
    desk.do(DisableMethod(path=METHODS.child(name)))


def write(desk: Any, role: Role, method: str = "ci", within: str = "root", role_id: str | None = None) -> None:
    """Create or replace a role."""
    path = roles_of(method).child(role.name)
    desk.do(WriteRole(path=path, role=role, role_id=role_id), namespace=within)


def ids(desk: Any, method: str = "ci", name: str = "app", within: str = "root") -> tuple[str, str]:
    """A role id, and a new secret id."""
    at = roles_of(method).child(name)
    role_id = desk.do(ReadRoleId(path=at.child("role-id")), namespace=within)
    return role_id, desk.do(CreateSecretId(path=at.child("secret-id")), namespace=within).secret_id


def login(desk: Any, given: tuple[str, str], method: str = "ci", within: str = "root") -> TokenIssued:
    """Prove a role with both."""
    operation = Login(path=Path(("auth", method, "login")), role_id=given[0], secret_id=given[1])
    issued: TokenIssued = desk.do(operation, None, within)
    return issued
