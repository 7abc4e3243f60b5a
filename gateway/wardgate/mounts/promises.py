"""Whether an answer of a backend is what its method promises; what is not is Broken, and never travels on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace
from typing import Any

from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.path import all_plain, is_segment
from wardgate.spi.values import Entry, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo, VersionState

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Of a value that is read: others write to a store too, and what they wrote may be larger than the gateway stores."""
MAX_CURSOR = 8_192
MAX_ID = 2_048
MAX_TEXT = 65_536
MAX_VERSIONS = 100_000
MAX_PERMISSIONS = 100
MAX_NUMBER = 2**63
_NEEDS = frozenset({"read", *(field.name for field in fields(Capabilities))})
LAST_MOMENT = 253_402_300_800 * 10**9
"""The end of the year 9999; no calendar of ours goes further."""


class Broken(Exception):
    """The promise that was broken; never anything of the answer."""


def _held(*, whether: bool, promise: str) -> None:
    if not whether:
        raise Broken(promise)


def backend(opened: object) -> Backend:
    """What a plugin opened, if it is a backend."""
    if not isinstance(opened, Backend):
        raise Broken("a backend")
    return opened


def capabilities(declared: Any) -> Capabilities:
    """The declaration, if it is one."""
    _held(whether=isinstance(declared, Capabilities), promise="capabilities")
    for field in fields(Capabilities):
        value = getattr(declared, field.name)
        _held(whether=type(value) is type(field.default), promise=field.name)
        _held(whether=value >= 0, promise=field.name)
    _held(whether=declared.page_size >= 1 and declared.max_path_bytes >= 1, promise="limits of at least 1")
    found: Capabilities = declared
    return found


def texts(given: Any) -> Mapping[str, str]:
    """Texts by names."""
    _held(whether=isinstance(given, Mapping), promise="texts by names")
    for name, text in given.items():
        _held(whether=_is_text(name) and _is_text(text), promise="texts by names")
    found: Mapping[str, str] = given
    return found


def version(info: Any, ordinals: bool) -> VersionInfo:  # noqa: FBT001  # the declared capability, everywhere in here
    """What is known of a version. With ``ordinals`` its id is its number, without it has none yet."""
    _held(whether=isinstance(info, VersionInfo), promise="a version's information")
    _held(whether=_is_text(info.id, MAX_ID) and info.id != "", promise="a version's id")
    _held(whether=_is_number(info.ordinal) and info.ordinal >= int(ordinals), promise="an ordinal")
    _held(whether=info.id == str(info.ordinal) if ordinals else info.ordinal == 0, promise="an ordinal that is the id")
    _held(whether=isinstance(info.state, VersionState), promise="a version's state")
    _held(whether=_is_moment(info.created_at), promise="a time")
    for moment in (info.deleted_at, info.expires_at):
        _held(whether=moment is None or _is_moment(moment), promise="a time")
    _held(whether=isinstance(info.stages, AbstractSet) and all(map(_is_text, info.stages)), promise="stages")
    _held(whether=info.digest is None, promise="no digest: that is the gateway's")
    if info.labels is not None:
        texts(info.labels)
    found: VersionInfo = info
    return found


def secret(found: Any, ordinals: bool) -> SecretVersion:  # noqa: FBT001  # as above
    """A version with its value."""
    _held(whether=isinstance(found, SecretVersion) and isinstance(found.value, Value), promise="a value")
    _held(whether=isinstance(found.value.data, bytes) and _is_text(found.value.media_type), promise="a value's bytes")
    _held(whether=len(found.value.data) <= MAX_VALUE_BYTES, promise="a value that is no larger than any may be")
    version(found.info, ordinals)
    texts(found.labels)
    one: SecretVersion = found
    return one


def description(info: Any, ordinals: bool) -> SecretInfo:  # noqa: FBT001  # as above
    """What is known of a secret; versions that the store numbers come in their order."""
    _held(whether=isinstance(info, SecretInfo), promise="what is known of a secret")
    _held(whether=isinstance(info.versions, tuple) and len(info.versions) <= MAX_VERSIONS, promise="versions")
    for one in info.versions:
        version(one, ordinals)
    if info.current is not None:
        version(info.current, ordinals)
    _held(whether=_is_moment(info.created_at) and _is_moment(info.updated_at), promise="a time")
    texts(info.labels)
    settings = info.settings
    _held(whether=isinstance(settings, SecretSettings), promise="settings")
    required = settings.compare_and_set_required
    _held(whether=required is None or isinstance(required, bool), promise="settings")
    for number in (settings.max_versions, settings.delete_after):
        _held(whether=number is None or _is_number(number), promise="settings")
    _held(whether=len({one.id for one in info.versions}) == len(info.versions), promise="versions that differ")
    if not ordinals:
        found: SecretInfo = info
        return found
    ordered: SecretInfo = replace(info, versions=tuple(sorted(info.versions, key=lambda one: one.ordinal)))
    return ordered


def page(found: Any, limit: int) -> Page:
    """A page of at most ``limit`` names; those that no path can have are left out: nobody could ask for them."""
    _held(whether=isinstance(found, Page) and isinstance(found.entries, Sequence), promise="a page")
    _held(whether=len(found.entries) <= limit, promise="a page of the size that was asked for")
    _held(whether=set(map(type, found.entries)) <= {Entry}, promise="names")
    names = [entry.name for entry in found.entries]
    _held(whether=set(map(type, names)) <= {str} and max(map(len, names), default=0) <= MAX_TEXT, promise="names")
    _held(whether={type(entry.folder) for entry in found.entries} <= {bool}, promise="names")
    cursor = found.cursor
    _held(whether=cursor is None or (_is_text(cursor, MAX_CURSOR) and cursor != ""), promise="a cursor")
    one: Page = found
    return one if all_plain(names) else Page(tuple(entry for entry in one.entries if is_segment(entry.name)), cursor)


def health(found: Any) -> Health:
    """Whether the store answers."""
    _held(whether=isinstance(found, Health) and isinstance(found.ok, bool), promise="health")
    _held(whether=_is_text(found.detail), promise="health")
    one: Health = found
    return one


def permissions(found: Any) -> tuple[Permission, ...]:
    """What a probe found, each right needed for something that a backend can do."""
    _held(whether=isinstance(found, Sequence) and len(found) <= MAX_PERMISSIONS, promise="permissions")
    for one in found:
        _held(whether=isinstance(one, Permission) and _is_text(one.name, MAX_ID), promise="a permission")
        whole = isinstance(one.needed_for, AbstractSet) and one.needed_for <= _NEEDS
        _held(whether=whole and (one.granted is None or isinstance(one.granted, bool)), promise="a permission")
    return tuple(found)


def _is_text(given: object, most: int = MAX_TEXT) -> bool:
    return isinstance(given, str) and len(given) <= most and _is_unicode(given)


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(given: object) -> bool:
    return type(given) is int and -MAX_NUMBER <= given < MAX_NUMBER


def _is_moment(given: object) -> bool:
    return type(given) is int and 0 <= given < LAST_MOMENT
