"""Bodies of requests as Vault's clients send them, read strictly as JSON and leniently as types, as Vault does."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed

T = TypeVar("T")
Duration = int | float | str
"""Seconds as a number, or Go's text; see durations.py."""
Texts = list[str] | str
"""A list, or one text with commas."""
Numbers = list[int] | int | str

_AT = re.compile(r"at `\$\.(\w+)")


class WriteData(msgspec.Struct):
    """POST ``data/<path>``: ``data`` is kept as the text received."""

    data: msgspec.Raw = msgspec.Raw(b"")
    options: dict[str, Any] | None = None


class SelectVersions(msgspec.Struct):
    """POST ``delete/``, ``undelete/``, ``destroy/<path>``."""

    versions: Numbers | None = None


class WriteMetadata(msgspec.Struct):
    """POST and PATCH ``metadata/<path>``; what is absent stays as it is."""

    max_versions: int | None = None
    cas_required: bool | None = None
    delete_version_after: Duration | None = None
    custom_metadata: dict[str, Any] | None = None
    metadata_cas: int | None = None
    metadata_cas_required: bool | None = None


class WriteConfig(msgspec.Struct):
    """POST ``config``; what is absent stays as it is."""

    max_versions: int | None = None
    cas_required: bool | None = None
    delete_version_after: Duration | None = None
    metadata_cas_required: bool | None = None


class RenewToken(msgspec.Struct):
    """POST ``auth/token/renew-self``."""

    increment: Duration | None = None
    token: str | None = None


class NameToken(msgspec.Struct):
    """POST ``auth/token/lookup``, ``renew``, ``revoke``, ``revoke-orphan``."""

    token: str = ""
    increment: Duration | None = None


class NameAccessor(msgspec.Struct):
    """POST ``auth/token/lookup-accessor``, ``renew-accessor``, ``revoke-accessor``."""

    accessor: str = ""
    increment: Duration | None = None


class CreateToken(msgspec.Struct):
    """POST ``auth/token/create``."""

    policies: Texts | None = None
    ttl: Duration | None = None
    lease: Duration | None = None
    explicit_max_ttl: Duration | None = None
    period: Duration | None = None
    num_uses: int = 0
    no_parent: bool = False
    no_default_policy: bool = False
    display_name: str = ""
    meta: dict[str, Any] | None = None
    renewable: bool = True
    type: str = ""
    id: str = ""
    entity_alias: str = ""


class WriteRole(msgspec.Struct):
    """POST ``auth/approle/role/<name>``; what is absent stays as it is."""

    token_policies: Texts | None = None
    policies: Texts | None = None
    token_ttl: Duration | None = None
    token_max_ttl: Duration | None = None
    token_explicit_max_ttl: Duration | None = None
    token_period: Duration | None = None
    period: Duration | None = None
    token_num_uses: int | None = None
    token_bound_cidrs: Texts | None = None
    token_strictly_bind_ip: bool | None = None
    secret_id_ttl: Duration | None = None
    secret_id_num_uses: int | None = None
    secret_id_bound_cidrs: Texts | None = None
    bound_cidr_list: Texts | None = None
    bind_secret_id: bool | None = None
    role_id: str | None = None


class ChooseRoleId(msgspec.Struct):
    """POST ``auth/approle/role/<name>/role-id``."""

    role_id: str = ""


class IssueSecretId(msgspec.Struct):
    """POST ``auth/approle/role/<name>/secret-id`` and, with ``secret_id``, ``custom-secret-id``."""

    secret_id: str = ""
    metadata: str = ""
    cidr_list: Texts | None = None
    token_bound_cidrs: Texts | None = None
    ttl: Duration | None = None
    num_uses: int | None = None


class NameSecretId(msgspec.Struct):
    """POST ``secret-id/lookup`` and the like."""

    secret_id: str = ""


class NameSecretIdAccessor(msgspec.Struct):
    """POST ``secret-id-accessor/lookup`` and the like."""

    secret_id_accessor: str = ""


class LogIn(msgspec.Struct):
    """POST ``auth/approle/login``."""

    role_id: str | int = ""
    secret_id: str | int = ""


class WrappingToken(msgspec.Struct):
    """POST ``sys/wrapping/lookup``, ``unwrap``, ``rewrap``."""

    token: str | None = None


class MountConfig(msgspec.Struct):
    """What of a mount's configuration is kept."""

    default_lease_ttl: Duration | None = None
    max_lease_ttl: Duration | None = None
    force_no_cache: bool | None = None


class MethodConfig(MountConfig):
    """What of a login method's configuration is kept, and what cannot be."""

    token_type: str | None = None


class EnableMethod(msgspec.Struct):
    """POST ``sys/auth/<name>``."""

    type: str | None = None
    description: str | None = None
    options: dict[str, Any] | None = None
    config: MethodConfig | None = None


class TuneMethod(MethodConfig):
    """POST ``sys/auth/<name>/tune``; what is absent or empty stays as it is."""

    description: str | None = None
    options: dict[str, Any] | None = None


class EnableMount(msgspec.Struct):
    """POST ``sys/mounts/<prefix>``."""

    type: str | None = None
    description: str | None = None
    options: dict[str, Any] | None = None
    config: MountConfig | None = None


class TuneMount(MountConfig):
    """POST ``sys/mounts/<prefix>/tune``; what is absent or empty stays as it is."""

    description: str | None = None
    options: dict[str, Any] | None = None


class WritePolicy(msgspec.Struct):
    """POST ``sys/policies/acl/<name>``; ``rules`` is what ``sys/policy`` called it."""

    policy: str | None = None
    rules: str | None = None


class AskCapabilities(msgspec.Struct):
    """POST ``sys/capabilities-self``."""

    paths: Texts | None = None
    path: Texts | None = None


def decode(body: bytes, kind: type[T]) -> tuple[T, dict[str, Any]]:
    """Read a body: as its type, and as plain JSON. No body, and ``null``, are an empty object.

    Raises:
        Malformed: no JSON object, or one that parsers would disagree about.
        InvalidValue: a field of a type that cannot be read as the one it has; never quotes what was given.
    """
    try:
        plain = strict_json.loads(body) if body.strip() else {}
    except Malformed as error:
        raise Malformed(f"error parsing JSON: {error.message}") from None
    if plain is None:
        plain, body = {}, b""
    if not isinstance(plain, dict):
        raise Malformed("error parsing JSON: the body must be an object")
    try:
        return msgspec.json.decode(body if plain else b"{}", type=kind, strict=False), plain
    except msgspec.ValidationError as error:
        where = _AT.search(str(error))
        field = f' for field "{where[1]}"' if where else ""
        raise InvalidValue(f"error converting input{field}") from None


def ignored(plain: dict[str, Any], kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The warning about fields of a body that mean nothing here."""
    unknown = sorted(plain.keys() - set(kind.__struct_fields__))
    return (f"Endpoint ignored these unrecognized parameters: [{' '.join(unknown)}]",) if unknown else ()


def texts(given: Texts | None) -> tuple[str, ...]:
    """The texts of a list, or of one text with commas; without the empty ones."""
    parts = given.split(",") if isinstance(given, str) else given or ()
    return tuple(stripped for part in parts if (stripped := part.strip()))
