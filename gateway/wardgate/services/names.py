"""Names in the paths of services, and who may hand out which policy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from wardgate.spi.errors import InvalidValue, PermissionDenied, SecretNotFound
from wardgate.spi.identity import KNOWN_AS, KNOWN_ID, KNOWN_POLICIES, Principal
from wardgate.spi.operations.base import MAX_TEXT
from wardgate.spi.operations.policies import ADMINISTRATOR, DEFAULT, Effect, Policy
from wardgate.spi.options import nearest
from wardgate.spi.path import Path

MAX_POLICIES: Final = 64
"""Policies one token or role can carry."""

MAX_META: Final = 64
"""Entries that a token or a secret id can be given to carry along."""
_LONGEST_META_NAME: Final = 128
_LONGEST_META: Final = 512
_LONGEST_TITLE: Final = 128

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def name_below(path: Path, folder: Path, *tail: str) -> str:
    """The one segment of ``path`` between ``folder`` and ``tail``. Raises SecretNotFound for any other shape."""
    rest = path.below(folder).segments if path.starts_with(folder) else ()
    if len(rest) != 1 + len(tail) or rest[1:] != tail:
        raise SecretNotFound(f"there is nothing at {path}")
    return rest[0]


def check_name(what: str, name: str) -> None:
    """Refuse a name that is not plain: it also stands in headers, addresses and logs. Raises InvalidValue."""
    if not _PLAIN.fullmatch(name):
        raise InvalidValue(
            f"the {what} {name[:80]!r} must be 1 to 128 letters, digits, '.', '_' or '-', and begin with a letter"
            " or digit"
        )


def check_title(what: str, title: str) -> None:
    """Refuse a name for people that is empty, long or not printable. Raises InvalidValue."""
    if not 0 < len(title) <= _LONGEST_TITLE or not title.isprintable():
        raise InvalidValue(f"a {what} has 1 to {_LONGEST_TITLE} printable characters")


def check_meta(meta: Mapping[str, str]) -> None:
    """Refuse metadata past its bounds; it is never quoted. Raises InvalidValue."""
    if len(meta) > MAX_META:
        raise InvalidValue(f"give at most {MAX_META} entries of metadata")
    for name, value in meta.items():
        if not 0 < len(name) <= _LONGEST_META_NAME or len(value) > _LONGEST_META:
            raise InvalidValue(
                f"names of metadata have 1 to {_LONGEST_META_NAME} characters, values at most {_LONGEST_META}"
            )
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            raise InvalidValue("metadata must be text that UTF-8 can write") from None


def check_same(what: str, name: str, path: Path, folder: Path) -> None:
    """Refuse a body that names another object than the path that was authorized. Raises InvalidValue."""
    if name_below(path, folder) != name:
        raise InvalidValue(f"the {what}'s name is not the one its path ends in")


def capped(ttl: int | None, giver: Principal, now: int) -> int | None:
    """The life, in nanoseconds, of a key that ``giver`` issues: not past its own, unless it is an administrator."""
    if giver.expires_at is None or ADMINISTRATOR in giver.policies:
        return ttl
    left = max(giver.expires_at - now, 1)
    return left if ttl is None else min(ttl, left)


def proved(giver: Principal) -> Mapping[str, str]:
    """The attributes of what ``giver`` makes: it chooses a name and policies; conditions go on reading the giver's.

    An administrator's words are taken: it could write the conditions.
    """
    if ADMINISTRATOR in giver.policies:
        return giver.attributes
    known = {KNOWN_AS: giver.name, KNOWN_ID: giver.id, KNOWN_POLICIES: ",".join(giver.policies)}
    return {**known, **giver.attributes}


def denying(giver: Principal, policies: Iterable[Policy]) -> tuple[str, ...]:
    """The policies of ``giver`` that deny something: what it makes must carry them too, or it could do more."""
    return tuple(
        policy.name
        for policy in policies
        if policy.name in giver.policies and any(rule.effect is Effect.DENY for rule in policy.rules)
    )


def is_text(given: object) -> bool:
    """Whether it can be a text for people, such as a description: printable, of ``MAX_TEXT`` characters at most."""
    return isinstance(given, str) and len(given) <= MAX_TEXT and given.isprintable()


def check_handed_out(names: Sequence[str], giver: Principal, known: Collection[str], must: Sequence[str] = ()) -> None:
    """Refuse policies that ``giver`` cannot hand out.

    Args:
        names: what is to be given.
        giver: who gives. It can give what it carries, and ``default``; with ``administrator``, anything there is.
        known: the names of all policies of the namespace.
        must: those that ``denying`` names, where all of them must be among ``names``.

    Raises:
        PermissionDenied: one is not carried by the giver, or one that denies is left out.
        InvalidValue: one does not exist, or there are too many.
    """
    if len(names) > MAX_POLICIES:
        raise InvalidValue(f"name at most {MAX_POLICIES} policies")
    for name in names:
        if name != DEFAULT and name not in giver.policies and ADMINISTRATOR not in giver.policies:
            raise PermissionDenied("permission denied: a token can hand out only the policies it carries itself")
        if name not in known:
            raise InvalidValue(f"there is no policy {name[:80]!r}{nearest(name[:80], known)}")
    if ADMINISTRATOR not in giver.policies and not set(must) <= set(names):
        raise PermissionDenied("permission denied: what a token hands out must carry its own policies that deny")
