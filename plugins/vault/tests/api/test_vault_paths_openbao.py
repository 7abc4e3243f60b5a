"""docs/vault-compatibility.md names every path that a real OpenBao says it has, and the gateway answers as it says."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from tests.architecture.test_docs import rows, section
from tests.end_to_end.vault_vectors import Send
from tests.servers.openbao import OpenBao

FAMILY = "…"
OWN = frozenset({"sys", "auth", "identity", "cubbyhole"})
"""First segments that are no mount of a key-value engine."""
OPEN = frozenset({"NAME", "PATH", FAMILY, "MOUNT", "METHOD"})
"""Segments of a row that are left open."""
METHODS = {"get": "GET", "post": "POST", "delete": "DELETE"}


def covers(row: str, path: str) -> bool:
    """Whether a row's endpoint stands for a path of OpenBao's, in which ``{name}`` is whatever one asks for."""
    wanted, found = row.split("/"), path.strip("/").split("/")
    if wanted[-1] == FAMILY:
        wanted, found = wanted[:-1], found[: len(wanted) - 1]
    elif wanted[-1] == "PATH":
        found = [*found[: len(wanted) - 1], *(["PATH"] if len(found) >= len(wanted) else [])]
    return len(wanted) == len(found) and all(map(_is_one, wanted, found))


def _is_one(wanted: str, found: str) -> bool:
    if wanted == "MOUNT":
        return found not in OWN
    return found == wanted or (wanted == "NAME" and found.startswith("{")) or (wanted, found) == ("METHOD", "approle")


def row_of(endpoints: Iterable[str], path: str) -> str:
    """The row that says most of a path: with the most segments that are not left open; "" where none covers it."""
    found = [row for row in endpoints if covers(row, path)]
    return max(found, key=lambda row: len(set(row.split("/")) - OPEN), default="")


@pytest.fixture(scope="module")
def documented() -> dict[str, list[str]]:
    """The page's rows, by endpoint."""
    return {row[0]: row[1:] for row in rows(section("vault-compatibility", "Endpoints"))}


@pytest.fixture(scope="module")
def listed(openbao: OpenBao) -> dict[str, list[str]]:
    """What OpenBao says of itself: its paths, and their methods; login methods that another test enabled left out."""
    paths = openbao.call("GET", "sys/internal/specs/openapi")["paths"]
    return {
        path: [method for method in METHODS if method in said]
        for path, said in paths.items()
        if not path.startswith("/auth/") or path.split("/")[2] in {"token", "approle"}
    }


@pytest.fixture(scope="module")
def absent(documented: dict[str, list[str]], listed: dict[str, list[str]]) -> dict[str, tuple[str, list[str]]]:
    """The paths of which the page says that they are not there: their row and OpenBao's methods."""
    found = {path: (row_of(documented, path), methods) for path, methods in listed.items()}
    return {path: one for path, one in found.items() if one[0] and documented[one[0]][1] == "no"}


@pytest.mark.parametrize(
    ("row", "path", "expected"),
    [
        ("sys/leases/…", "/sys/leases", True),
        ("sys/leases/…", "/sys/leases/revoke/{url_lease_id}", True),
        ("sys/leases/…", "/sys/leases-not", False),
        ("sys/audit-hash/PATH", "/sys/audit-hash/{path}", True),
        ("sys/audit-hash/PATH", "/sys/audit-hash", False),
        ("sys/mounts/PATH", "/sys/mounts/{path}/tune", True),
        ("sys/policy/NAME", "/sys/policy/{name}", True),
        ("sys/policy/NAME", "/sys/policy/{name}/more", False),
        ("sys/policy/NAME", "/sys/policy/detailed", False),
        ("sys/policy", "/sys/policy/{name}", False),
        ("MOUNT/config", "/secret/config", True),
        ("MOUNT/PATH", "/sys/seal", False),
        ("auth/METHOD/login", "/auth/approle/login", True),
        ("auth/METHOD/login", "/auth/token/login", False),
    ],
)
def test_a_row_covers_what_it_says(row: str, path: str, expected: bool) -> None:  # noqa: FBT001  # a parameter
    """Neither less nor more."""
    assert expected is covers(row, path)


def test_every_path_of_a_real_server_has_a_row(documented: dict[str, list[str]], listed: dict[str, list[str]]) -> None:
    """Whatever OpenBao has, the page says whether it is here."""
    assert len(listed) > 200
    assert [] == sorted(path for path in listed if not row_of(documented, path))


def test_a_row_of_what_is_not_there_names_the_methods_of_a_real_server(
    documented: dict[str, list[str]], absent: dict[str, tuple[str, list[str]]]
) -> None:
    """Those of all paths that it stands for; OpenBao's document calls a list a GET."""
    missing = []
    for row, methods in absent.values():
        said = set(documented[row][0].split())
        missing += [(row, one) for one in methods if not said & {METHODS[one], "LIST" if one == "get" else ""}]
    assert [] == missing


def test_families_are_of_what_is_not_there(documented: dict[str, list[str]]) -> None:
    """What answers has a row of its own."""
    assert set() == {row for row, said in documented.items() if row.endswith(FAMILY) and said[1] != "no"}


def test_what_is_not_there_is_a_404_as_the_page_says(
    documented: dict[str, list[str]], absent: dict[str, tuple[str, list[str]]], send: Send, token: str
) -> None:
    """By each method of OpenBao's; what has an answer of its own is named in its row."""
    said = re.compile(r"unsupported path|no handler for route")
    wrong = []
    for path, (row, methods) in absent.items():
        target = f"/v1{re.sub(r'{[^}]*}', 'x', path)}".rstrip("/")
        for method in methods if "400" not in documented[row][2] else ():
            answer = send(METHODS[method], target, {"X-Vault-Token": token}, b"{}")
            if answer.status != 404 or not said.search(answer.body.decode()):
                wrong.append((method, path, answer.status))
    assert [] == wrong
