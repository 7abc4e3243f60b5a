"""Lists and scans of the front-end: complete, in Vault's order, and bounded whatever the road answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Batch
from wardgate.spi.operations.secrets import DescribeSecrets, ListSecrets, ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page, SecretInfo
from wardgate_vault.api import listing

from tests.end_to_end.vault_vectors import Send

TOKEN = "an-administrator's-token"
HEADERS = {"X-Vault-Token": TOKEN}


def asked(send: Send, method: str, target: str) -> Any:
    response = send(method, f"/v1/secret/{target}", HEADERS, b"")
    return json.loads(response.body)


NAMES = st.sets(st.sampled_from(["a", "a-", "a-b", "a0", "b", "ä", "z"]), max_size=7)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(NAMES, NAMES, st.integers(1, 4))
def test_pages_by_name_hold_all_names_in_order(
    gateway: Any, send: Send, secrets: set[str], folders: set[str], limit: int
) -> None:
    """What a client finds by asking on after the last name is the whole list, though stores order names otherwise."""
    gateway.unmount(Path(("secret",)))
    gateway.mount(Path(("secret",)), "native", {})
    for path in (*secrets, *(f"{folder}/x" for folder in folders)):
        send("POST", f"/v1/secret/data/{path.replace('ä', '%C3%A4')}", HEADERS, b'{"data":{}}')
    expected = sorted([*secrets, *(f"{folder}/" for folder in folders)])

    found: list[str] = []
    for _ in range(20):
        after = found[-1].replace("ä", "%C3%A4") if found else ""
        keys = asked(send, "LIST", f"metadata?limit={limit}&after={after}").get("data", {}).get("keys", [])
        assert len(keys) <= limit
        found += keys
        if not keys:
            break
    assert expected == found


def test_a_list_with_a_limit_asks_for_no_more_than_it_needs(gateway: Any, send: Send) -> None:
    """The store's pages hold two names here."""
    for number in range(9):
        send("POST", f"/v1/secret/data/{number}", HEADERS, b'{"data":{}}')
    gateway.asked.clear()
    assert ["0", "1", "2"] == asked(send, "LIST", "metadata?limit=3")["data"]["keys"]
    assert len(gateway.asked) == 2


@pytest.mark.parametrize(("method", "kind"), [("LIST", ListSecrets), ("SCAN", ScanSecrets)])
def test_a_list_without_end_ends(
    gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch, method: str, kind: type[ListSecrets | ScanSecrets]
) -> None:
    """Pages that hold nothing and lead on for ever: so many are asked for, and the answer says that it was cut."""
    monkeypatch.setattr(listing, "MAX_PAGES", 5)
    pages = 0

    async def perform(_: Any, operation: Any, **__: Any) -> Outcome[Page]:
        nonlocal pages
        assert isinstance(operation, kind)
        pages += 1
        return Outcome(Page((Entry("first"),) if pages == 1 else (), cursor="more"))

    monkeypatch.setattr(gateway, "perform", perform)
    answer = asked(send, method, "metadata")
    assert (5, ["first"], [listing._CUT]) == (pages, answer["data"]["keys"], answer["warnings"])


def test_a_list_is_made_within_the_request_s_deadline(
    gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However quick each page is."""
    times = iter([0.0, 1e12])
    monkeypatch.setattr(listing, "time", type("Clock", (), {"monotonic": lambda: next(times)}))

    async def perform(_: Any, __: Any, **___: Any) -> Outcome[Page]:
        return Outcome(Page((Entry("a"),), cursor="more"))

    monkeypatch.setattr(gateway, "perform", perform)
    assert send("SCAN", "/v1/secret/metadata", HEADERS, b"").status == 503


def test_what_may_not_be_described_is_only_named(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch for all, and an empty description for a secret that is denied, as for a folder."""
    batches: list[Batch[Any]] = []

    async def perform(_: Any, operation: Any, **__: Any) -> Outcome[Any]:
        if isinstance(operation, DescribeSecrets):
            batches.append(operation)
            return Outcome((PermissionDenied(), SecretInfo(None, (), 1, 2)))
        return Outcome(Page((Entry("a"), Entry("b"), Entry("b", folder=True))))

    monkeypatch.setattr(gateway, "perform", perform)
    data = asked(send, "LIST", "detailed-metadata/x")["data"]
    assert ["a", "b", "b/"] == data["keys"]
    assert ({}, 0, {}) == (data["key_info"]["a"], data["key_info"]["b"]["current_version"], data["key_info"]["b/"])
    assert [Path(("secret", "x", "a")), Path(("secret", "x", "b"))] == [item.path for item in batches[0].items]
    assert len(batches) == 1


def test_a_list_with_descriptions_is_cut_sooner(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so, but not where no more was asked for."""
    monkeypatch.setattr(listing, "MAX_DETAILED", 2)
    for number in range(4):
        send("POST", f"/v1/secret/data/{number}", HEADERS, b'{"data":{}}')
    for method, target in (("LIST", ""), ("SCAN", ""), ("LIST", "?limit=3")):
        answer = asked(send, method, f"detailed-metadata{target}")
        assert (["0", "1"], [listing._CUT]) == (answer["data"]["keys"], answer["warnings"])
    assert asked(send, "LIST", "detailed-metadata?limit=2")["warnings"] is None
