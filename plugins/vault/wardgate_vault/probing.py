"""What a mount's own credential may do at its engine: the server is asked, and nothing is changed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from wardgate.spi.backend import Permission
from wardgate.spi.errors import Unauthenticated

if TYPE_CHECKING:
    from wardgate_vault.client import Client
    from wardgate_vault.exchange import Answer

ROOT = "root"
"""What a server calls the right to do everything."""
ANY = "*"


class Need(NamedTuple):
    """A right at a path below the engine, in the server's words, and the capabilities that fail without it."""

    right: str
    place: str
    needed_for: tuple[str, ...]


KV_ONE = (
    Need("read", ANY, ("read",)),
    Need("create", ANY, ("write",)),
    Need("update", ANY, ("write",)),
    Need("list", ANY, ("list",)),
    Need("delete", ANY, ("delete",)),
)
KV_TWO = (
    Need("read", "data/*", ("read", "versions")),
    Need("create", "data/*", ("write", "compare_and_set")),
    Need("update", "data/*", ("write", "compare_and_set")),
    Need("delete", "data/*", ("delete",)),
    Need("list", "metadata/*", ("list",)),
    Need("read", "metadata/*", ("describe",)),
    Need("create", "metadata/*", ("labels", "settings")),
    Need("update", "metadata/*", ("labels", "settings")),
    Need("patch", "metadata/*", ("labels",)),
    Need("delete", "metadata/*", ("destroy",)),
    Need("update", "delete/*", ("delete_versions",)),
    Need("update", "undelete/*", ("undelete",)),
    Need("update", "destroy/*", ("destroy_versions",)),
    Need("read", "config", ("mount_settings",)),
    Need("update", "config", ("mount_settings",)),
)


async def ask(client: Client, mount: str, needs: Sequence[Need], *, accepted: bool) -> Sequence[Permission]:
    """Each right with whether the server gives it, at a name that no secret has.

    ``accepted``: the server is known to accept the credential.

    Raises:
        Unavailable: the server does not answer as it should.
        Unauthenticated: the server does not accept the credential.
    """
    # A policy's `*` stands for any name: one that nobody could have written a rule for stands for them all.
    name = f"wardgate-probe-{secrets.token_hex(8)}"
    paths = {need.place: f"{mount}/{need.place.replace(ANY, name)}" for need in needs}
    answer = await client.inquire("sys/capabilities-self", {"paths": sorted(paths.values())})
    if answer.ok:
        return _permissions(mount, needs, _told(answer, paths))
    if answer.status != HTTPStatus.FORBIDDEN:
        raise answer.error(mutates=False)
    if not accepted:
        raise Unauthenticated("the store does not accept the gateway's own credential")
    return _permissions(mount, needs, {})  # a good one, without the policy that lets it ask


def _told(answer: Answer, paths: dict[str, str]) -> dict[str, frozenset[str]]:
    rights: dict[str, frozenset[str]] = {}
    with answer.understood():
        rights.update({place: frozenset(answer.body["data"][path]) for place, path in paths.items()})
    return rights


def _permissions(mount: str, needs: Sequence[Need], rights: dict[str, frozenset[str]]) -> Sequence[Permission]:
    return tuple(
        Permission(
            f"{need.right} on {mount}/{need.place}",
            frozenset(need.needed_for),
            granted=bool(rights[need.place] & {need.right, ROOT}) if need.place in rights else None,
        )
        for need in needs
    )
