"""What a gateway knows of a path: looked up so that a command can say what is not there, which the wire does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wardgate.cli.failure import Failure
from wardgate.cli.paths import folder_of, lister, secret_of

if TYPE_CHECKING:
    from wardgate.cli.client import Client

_CANNOT_TELL = frozenset({"permission_denied", "unsupported"})
_PERHAPS_A_FOLDER = frozenset({"secret_not_found", "malformed"})  # the latter: the path of a mount itself
LIVE = "live"
DELETED = "deleted"
DESTROYED = "destroyed"
VERSIONS = "`wardgate history` shows the versions."


def require(client: Client, path: str, versions: Iterable[int] = (), *, kept: bool = False) -> dict[str, Any] | None:
    """Refuse to change a secret, or versions of it, that are not there; None where that cannot be known.

    Args:
        client: speaks to the gateway.
        path: the secret's.
        versions: their ordinals.
        kept: refuse destroyed versions too.

    Returns:
        What is known of the secret, as the API tells it.

    Raises:
        Failure: ``secret_not_found``, ``version_not_found`` or ``gone``.
    """
    try:
        info: dict[str, Any] = client.json("GET", f"metadata/{secret_of(path)}")
    except Failure as failure:
        if failure.code in _CANNOT_TELL:
            return None
        raise
    states = {version["ordinal"]: version["state"] for version in info["versions"]}
    for ordinal in versions:
        if ordinal not in states:
            raise Failure(f"{path} has no version {ordinal}", code="version_not_found")
        if kept and states[ordinal] == DESTROYED:
            raise gone(ordinal)
    return info


def gone(ordinal: int) -> Failure:
    """The refusal of a destroyed version."""
    return Failure(
        f"version {ordinal} is destroyed; nothing can recover it",
        code="gone",
        hint=VERSIONS,
    )


def explained(client: Client, path: str, failure: Failure, *, folder: str = "") -> Failure:
    """The failure, or a better one: what is not a secret may be a folder. What prevents looking is passed over.

    ``folder``: what can be done with one, where that is more than to list it.
    """
    if failure.code == "gone" and DESTROYED in failure.message:
        failure.hint = VERSIONS  # which nothing recovers
    if failure.code not in _PERHAPS_A_FOLDER:
        return failure
    try:
        entries = client.json("GET", f"folders/{folder_of(path)}", query={"limit": 1})["entries"]
    except Failure:
        entries = []
    if not entries:
        if failure.code == "secret_not_found" and _below_no_mount(client, path):
            failure.hint = f"Check the name; {lister('')} shows what is there."
        return failure
    hint = folder or f"{lister(path)} shows what is in it."
    return Failure(f"{path} is a folder", code=failure.code, request_id=failure.request_id, hint=hint)


def _below_no_mount(client: Client, path: str) -> bool:
    """Whether all mounts that may be seen are known, and the path is below none."""
    try:
        page = client.json("GET", "folders/", query={"limit": 1_000})
    except Failure:
        return False
    return page["cursor"] is None and not any(path.startswith(f"{mount['name']}/") for mount in page["entries"])
