"""The same requests to two servers of the Vault API, and where their answers differ.

What a request finds depends on all that came before it, so a sequence is made at random from a seed and played to
both. Ids and times are made equal; the order of a scan is each server's own; OpenBao's number of a metadata's version
is left out, which Wardgate does not count.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.vault_vectors import Send

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
_PATHS = ("a", "b", "a/x", "a/y/z", "a-b")
_NOT_COUNTED = "current_metadata_version"


@dataclass(frozen=True)
class Asked:
    """One request below a mount, and the sequence's number of it."""

    method: str
    target: str
    body: object = None

    @property
    def merges(self) -> bool:
        """Whether it is a merge patch."""
        return self.method == "PATCH"


def second(seed: int, length: int) -> Iterator[Asked]:
    """Requests of KV version 2."""
    chosen = random.Random(seed)
    for _ in range(length):
        yield chosen.choices(_KINDS, _WEIGHTS)[0](chosen)


def first(seed: int, length: int) -> Iterator[Asked]:
    """Requests of KV version 1."""
    chosen = random.Random(seed)
    for _ in range(length):
        method = chosen.choice(("GET", "GET", "POST", "PUT", "DELETE", "LIST", "SCAN"))
        body = _fields(chosen) or {"k": "v"} if method in {"POST", "PUT"} else None
        yield Asked(method, chosen.choice(_PATHS), body)


def _fields(chosen: random.Random) -> dict[str, object]:
    # No null within a list: OpenBao's merge takes it out, which RFC 7396 does not.
    values: tuple[object, ...] = ("x", 1, 0.5, True, None, {"n": 1}, {"n": {"m": "y"}}, {}, [1, {"a": 2}], "ü")
    return {name: chosen.choice(values) for name in chosen.sample("klm", chosen.randint(0, 3))}


def _written(chosen: random.Random, *unreadable: object) -> dict[str, object]:
    options = chosen.choice(({}, {}, {}, {"options": {"cas": chosen.choice((0, 1, 2, 3, "1", *unreadable))}}))
    return {"data": _fields(chosen), **options}


def _metadata(chosen: random.Random, *, merges: bool) -> dict[str, object]:
    # No number for a label in a merge: OpenBao answers 500.
    labels: list[object] = [{}, {"o": "ada"}, {"t": "x", "n": "1" if merges else 1}]
    nothing: tuple[object, ...] = (None,) if merges else ()
    given = {
        "max_versions": chosen.choice((0, 1, 2, 3, *nothing)),
        "cas_required": chosen.choice((False, False, True, *nothing)),
        # And no time: OpenBao cannot take one away by a merge, and gives one to a live version that is undeleted.
        "delete_version_after": "0s",
        "custom_metadata": chosen.choice([*labels, *([{"o": None}, None] if merges else [])]),
    }
    return {name: given[name] for name in chosen.sample(sorted(given), chosen.randint(0, 2))}


def _versions(chosen: random.Random) -> dict[str, object]:
    return {"versions": chosen.choice(([1], [2], ["3"], "1,2", [1, 2], [7], [], None))}


def _query(chosen: random.Random) -> str:
    return chosen.choice(("", "", "?version=1", "?version=2", "?version=0", "?version=9", "?version=x", "?other=1"))


def _listed(chosen: random.Random) -> str:
    folder = chosen.choice(("", "/a", "/none"))
    return folder + chosen.choice(("", "/", "?after=a", "?limit=1", "?after=a&limit=1", "?limit=-1", "?limit=x"))


_KINDS = (
    lambda chosen: Asked("POST", f"data/{chosen.choice(_PATHS)}", _written(chosen, "x", -1)),
    lambda chosen: Asked("GET", f"data/{chosen.choice(_PATHS)}{_query(chosen)}"),
    lambda chosen: Asked("PATCH", f"data/{chosen.choice(_PATHS)}", _written(chosen)),
    lambda chosen: Asked("DELETE", f"data/{chosen.choice(_PATHS)}"),
    lambda chosen: Asked("POST", f"delete/{chosen.choice(_PATHS)}", _versions(chosen)),
    lambda chosen: Asked("POST", f"undelete/{chosen.choice(_PATHS)}", _versions(chosen)),
    lambda chosen: Asked("POST", f"destroy/{chosen.choice(_PATHS)}", _versions(chosen)),
    lambda chosen: Asked("GET", f"metadata/{chosen.choice(_PATHS)}"),
    lambda chosen: Asked("POST", f"metadata/{chosen.choice(_PATHS)}", _metadata(chosen, merges=False)),
    lambda chosen: Asked("PATCH", f"metadata/{chosen.choice(_PATHS)}", _metadata(chosen, merges=True)),
    lambda chosen: Asked("DELETE", f"metadata/{chosen.choice(_PATHS)}"),
    lambda chosen: Asked("LIST", f"metadata{_listed(chosen)}"),
    lambda chosen: Asked("SCAN", f"metadata{chosen.choice(('', '/', '/a', '/none'))}"),
    lambda chosen: Asked("GET", f"subkeys/{chosen.choice(_PATHS)}{chosen.choice(('', '?depth=1', '?depth=2'))}"),
    lambda chosen: Asked("GET", "config"),
    lambda chosen: Asked("POST", "config", {"max_versions": chosen.choice((0, 2)), "cas_required": False}),
)
_WEIGHTS = (10, 8, 6, 2, 2, 2, 1, 5, 4, 4, 1, 3, 2, 3, 1, 1)


def alike(asked: Asked, expected: tuple[int, Any], actual: tuple[int, Any]) -> bool:
    """Whether two answers are equal, or differ as they may.

    A merge that expects a version of a secret which has none yet finds no secret, or not that version.
    """
    no_version = asked.method == "PATCH" and asked.target.startswith("data/")
    return expected == actual or (no_version and (expected[0], actual) == (400, (404, [])))


def answer(send: Send, token: str, mount: str, asked: Asked) -> tuple[int, Any]:
    """Status and body of one answer, with what may differ made equal."""
    headers = {"X-Vault-Token": token}
    if asked.merges:
        headers["Content-Type"] = "application/merge-patch+json"
    body = b"" if asked.body is None else json.dumps(asked.body).encode()
    response = send(asked.method, f"/v1/{mount}/{asked.target}", headers, body)
    text = _TIME.sub("<time>", _UUID.sub("<uuid>", response.body.decode())).replace(mount, "<mount>")
    said = json.loads(text) if text else {"errors": []}
    if response.status == 204:
        return 204, None
    if "errors" in said:
        return response.status, [_without_details(error) for error in said["errors"]]
    data = said["data"]
    if isinstance(data, dict):
        data.pop(_NOT_COUNTED, None)
        if data.get("oldest_version") == 1:
            data["oldest_version"] = 0  # both say that nothing was dropped; which of them depends on history
        if asked.method == "SCAN":
            data["keys"] = sorted(data.get("keys", []))
    return response.status, said


def _without_details(error: str) -> str:
    """Why a field could not be read is said in each server's own words."""
    return "a field" if "field" in error or "validation failed" in error else error
