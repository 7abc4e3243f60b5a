"""The endpoints of secrets: what they ask of the gateway, and how they answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Conflict, Gone
from wardgate.spi.frontend import Freshness
from wardgate.spi.operations.base import Rejected
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import (
    Absent,
    AnnotateSecret,
    DeleteSecret,
    DescribeSecret,
    DestroySecret,
    ListSecrets,
    MoveStage,
    Ordinal,
    PatchSecret,
    ReadSecret,
    ScanSecrets,
    Stage,
    UndeleteSecret,
    VersionId,
    WriteSecret,
)
from wardgate.spi.path import Path
from wardgate.spi.values import (
    BYTES,
    JSON,
    TEXT,
    Entry,
    Page,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)
from wardgate_native.api.wire import etag, version_of

from tests.support.scripted import Request, Scripted

INFO = VersionInfo(
    id='a"1%é', ordinal=3, created_at=1_700_000_000_123_456_789, stages=frozenset({"current"}),
    digest=lambda: "17979c",
)  # fmt: skip
PATH = Path(("secret", "app"))


def test_a_value_is_answered_as_its_own_bytes(gateway: Scripted, rest: Request) -> None:
    """Bytes, media type, version and time of writing come back, and nothing may keep or run them."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"\x00\xff", BYTES))
    response = rest("GET", "/api/v1/secrets/secret/app")
    assert (200, b"\x00\xff", BYTES) == (response.status, response.body, response.headers["content-type"])
    assert response.headers["etag"] == '"a%221%25%C3%A9;17979c"'
    assert response.headers["x-wardgate-version"] == "3"
    assert response.headers["x-wardgate-created-at"] == "2023-11-14T22:13:20.123456Z"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert gateway.asked == [ReadSecret(path=PATH)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("version=3", Ordinal(3)),
        ("version_id=3", VersionId("3")),
        ("version_id=a%22b", VersionId('a"b')),
        ("stage=previous", Stage("previous")),
    ],
)
def test_a_version_is_named_by_number_id_or_stage(
    gateway: Scripted, rest: Request, query: str, expected: object
) -> None:
    """Each query parameter becomes its own kind of selector."""
    rest("GET", f"/api/v1/secrets/secret/app?{query}")
    assert gateway.asked == [ReadSecret(path=PATH, version=expected)]  # type: ignore[arg-type]


def test_an_etag_names_the_same_version_again(gateway: Scripted, rest: Request) -> None:
    """What a read gave as ETag is what a compare-and-set expects, whatever characters the id has."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"x"))
    tag = rest("GET", "/api/v1/secrets/secret/app").headers["etag"]
    gateway.answers[WriteSecret] = INFO
    rest("PUT", "/api/v1/secrets/secret/app", b"y", (("If-Match", tag),))
    assert gateway.asked[-1] == WriteSecret(path=PATH, value=Value(b"y"), expect=VersionId(INFO.id, "17979c"))


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.none() | st.just("0f"))
def test_any_version_id_fits_an_etag(version: str, digest: str | None) -> None:
    """Reversibly, and in characters that a header, and a list in one, can carry."""
    tag = etag(VersionInfo(version, digest=None if digest is None else lambda: digest))
    assert tag.isascii()
    assert tag.isprintable()
    assert "," not in tag
    assert version_of(tag) == VersionId(version, digest)


def test_a_version_the_caller_has_is_not_sent_again(gateway: Scripted, rest: Request) -> None:
    """If-None-Match with the current ETag: 304, after the read was decided and audited."""
    gateway.answers[ReadSecret] = SecretVersion(VersionInfo(id="3"), Value(b"x"))
    response = rest("GET", "/api/v1/secrets/secret/app", headers=(("If-None-Match", '"3"'),))
    assert (304, b"") == (response.status, response.body)
    for known, status in (('"2"', 200), ('"2", W/"3"', 304), ("*", 304), ('"33"', 200)):
        assert rest("GET", "/api/v1/secrets/secret/app", headers=(("If-None-Match", known),)).status == status


def test_a_secret_written_anew_has_another_etag(gateway: Scripted, rest: Request) -> None:
    """A store may count from 1 again once a secret was destroyed: what the caller has is then not what is there."""
    gateway.answers[ReadSecret] = SecretVersion(VersionInfo(id="1", digest=lambda: "5"), Value(b"x"))
    tag = rest("GET", "/api/v1/secrets/secret/app").headers["etag"]
    gateway.answers[ReadSecret] = SecretVersion(VersionInfo(id="1", digest=lambda: "6"), Value(b"y"))
    assert rest("GET", "/api/v1/secrets/secret/app", headers=(("If-None-Match", tag),)).status == 200


def test_a_patch_asks_for_a_merge(gateway: Scripted, rest: Request) -> None:
    """The body is the patch; If-Match makes it a compare-and-set on that version."""
    gateway.answers[PatchSecret] = INFO
    patch = (("Content-Type", "application/merge-patch+json"),)
    response = rest("PATCH", "/api/v1/secrets/secret/app", b'{"a": null}', (*patch, ("If-Match", '"2;1f"')))
    assert (200, 3) == (response.status, response.json()["ordinal"])
    assert gateway.asked == [PatchSecret(path=PATH, patch=Value(b'{"a": null}', JSON), expect=VersionId("2", "1f"))]
    assert rest("PATCH", "/api/v1/secrets/secret/app", b"[]", patch).status == 400
    assert rest("PATCH", "/api/v1/secrets/secret/app", b"{}").status == 400


def test_a_patch_can_demand_that_something_is_there(gateway: Scripted, rest: Request) -> None:
    """If-Match: * on a patch, which is refused without it too."""
    kind = ("Content-Type", "application/merge-patch+json")
    assert rest("PATCH", "/api/v1/secrets/secret/app", b"{}", (kind, ("If-Match", "*"))).status == 404
    assert gateway.asked == [PatchSecret(path=PATH, patch=Value(b"{}", JSON))]


@pytest.mark.parametrize("tag", ['"%ff"', '";1"'])
def test_an_etag_no_version_can_have_is_a_condition_that_does_not_hold(
    gateway: Scripted, rest: Request, tag: str
) -> None:
    """As any other that is not the current one's; the store is not asked."""
    answer = rest("PUT", "/api/v1/secrets/secret/app", b"1", (("If-Match", tag),))
    assert (412, "conflict") == (answer.status, answer.json()["code"])
    assert [Rejected] == [type(operation) for operation in gateway.asked]


def test_head_answers_as_get_does_without_the_body(gateway: Scripted, rest: Request) -> None:
    """The same operation is asked, so it is authorized and audited alike; its length is that of the value."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"\x00\xff", BYTES))
    target = "/api/v1/secrets/secret/app"
    get, head = rest("GET", target), rest("HEAD", target)
    assert (get.status, get.headers, b"") == (head.status, head.headers, head.body)
    assert "2" == head.headers["content-length"]
    assert [ReadSecret(path=PATH)] * 2 == gateway.asked
    missing = rest("HEAD", "/api/v1/token")
    assert (404, b"") == (missing.status, missing.body)
    assert 405 == rest("HEAD", "/api/v1/batch/read").status


def test_a_delete_can_demand_the_version_it_means(gateway: Scripted, rest: Request) -> None:
    """If-Match on a delete: 412 when another version is current, and it names no other version beside it."""
    gateway.answers[DeleteSecret] = Conflict("another one is current")
    match = (("If-Match", '"2;1f"'),)
    assert rest("DELETE", "/api/v1/secrets/secret/app", headers=match).status == 412
    assert gateway.asked == [DeleteSecret(path=PATH, expect=VersionId("2", "1f"))]
    assert rest("DELETE", "/api/v1/secrets/secret/app?version=1", headers=match).status == 400


def test_a_recursive_page_scans(gateway: Scripted, rest: Request) -> None:
    """Names are then paths from the folder. However long a page may be, a walk is cut after a thousand."""
    gateway.answers[ScanSecrets] = Page((Entry("a/b"),), None)
    rest("GET", "/api/v1/folders/secret/app/?recursive=true&limit=10000")
    answer = rest("GET", "/api/v1/folders/secret/app/?recursive=true&limit=5")
    assert gateway.asked == [ScanSecrets(path=PATH, limit=1_000), ScanSecrets(path=PATH, limit=5)]
    assert answer.json() == {"entries": [{"name": "a/b", "folder": False}], "cursor": None}


def test_a_read_can_ask_for_what_is_there_now(gateway: Scripted, rest: Request) -> None:
    """Cache-Control: no-cache asks the store, whatever is remembered."""
    rest("GET", "/api/v1/secrets/secret/app", headers=(("Cache-Control", "max-age=0, No-Cache"),))
    assert gateway.asked == [ReadSecret(path=PATH, fresh=True)]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("application/json", JSON),
        ("application/JSON; charset=UTF-8", JSON),
        ("text/plain", TEXT),
        ("text/plain;charset=utf-8", TEXT),
        ("application/octet-stream", BYTES),
        ("application/x-pem-file", "application/x-pem-file"),
        ("", BYTES),
    ],
)
def test_a_write_keeps_the_bytes_and_their_media_type(gateway: Scripted, rest: Request, given: str, kept: str) -> None:
    """A JSON object is kept as the text received."""
    gateway.answers[WriteSecret] = INFO
    headers = (("Content-Type", given),) if given else ()
    response = rest("PUT", "/api/v1/secrets/secret/app", b'{ "a" : 1.50 }', headers)
    asked = gateway.asked[0]
    assert isinstance(asked, WriteSecret)
    assert (b'{ "a" : 1.50 }', kept, None) == (asked.value.data, asked.value.media_type, asked.expect)
    assert (200, 3, ["current"]) == (response.status, response.json()["ordinal"], response.json()["stages"])


def test_a_write_can_demand_that_nothing_is_there(gateway: Scripted, rest: Request) -> None:
    """If-None-Match: * is the compare-and-set on absence; when it fails the answer is 412."""
    gateway.answers[WriteSecret] = Conflict("there is a version")
    response = rest("PUT", "/api/v1/secrets/secret/app", b"x", (("If-None-Match", "*"),))
    assert gateway.asked == [WriteSecret(path=PATH, value=Value(b"x"), expect=Absent())]
    assert (412, "conflict") == (response.status, response.json()["code"])


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        ("DELETE", "secrets/secret/app", b"", DeleteSecret(path=PATH)),
        ("DELETE", "secrets/secret/app?version=2", b"", DeleteSecret(path=PATH, versions=(Ordinal(2),))),
        ("GET", "metadata/secret/app", b"", DescribeSecret(path=PATH)),
        ("PATCH", "metadata/secret/app", {"labels": {"a": "b"}}, AnnotateSecret(path=PATH, labels={"a": "b"})),
        (
            "PATCH", "metadata/secret/app", {"settings": {"max_versions": 3, "delete_after_seconds": 2}},
            AnnotateSecret(path=PATH, settings=SecretSettings(max_versions=3, delete_after=2_000_000_000)),
        ),
        (
            "POST", "undelete/secret/app", {"versions": [1, "1"]},
            UndeleteSecret(path=PATH, versions=(Ordinal(1), VersionId("1"))),
        ),
        ("POST", "destroy/secret/app", {"versions": [1]}, DestroySecret(path=PATH, versions=(Ordinal(1),))),
        ("POST", "destroy/secret/app", {"all": True}, DestroySecret(path=PATH)),
        (
            "POST", "stages/secret/app", {"stage": "current", "version": 2},
            MoveStage(path=PATH, stage="current", version=Ordinal(2)),
        ),
        (
            "POST", "stages/secret/app", {"stage": "blue", "version": None},
            MoveStage(path=PATH, stage="blue", version=None),
        ),
        ("GET", "folders/secret/app", b"", ListSecrets(path=PATH)),
        ("GET", "folders/secret/app/?limit=2&cursor=x", b"", ListSecrets(path=PATH, limit=2, cursor="x")),
    ],
)  # fmt: skip
def test_each_endpoint_asks_for_one_operation(
    gateway: Scripted, rest: Request, method: str, target: str, body: Any, expected: object
) -> None:
    """Method, path, query and body translate to exactly this."""
    gateway.answers.update(dict.fromkeys((DeleteSecret, AnnotateSecret, UndeleteSecret, DestroySecret, MoveStage)))
    gateway.answers[ListSecrets] = Page((), None)
    gateway.answers[DescribeSecret] = SecretInfo(None, (), 0, 0)
    assert rest(method, f"/api/v1/{target}", body).status in {200, 204}
    assert gateway.asked == [expected]


def test_metadata_shows_versions_labels_and_settings(gateway: Scripted, rest: Request) -> None:
    """All that is known, without a value."""
    old = VersionInfo(id="1", ordinal=1, state=VersionState.DELETED, deleted_at=1_000_000_000)
    gateway.answers[DescribeSecret] = SecretInfo(
        INFO, (old, INFO), 0, 5_000_000_000, {"team": "a"}, SecretSettings(10, compare_and_set_required=True)
    )
    answer = rest("GET", "/api/v1/metadata/secret/app").json()
    assert answer["labels"] == {"team": "a"}
    assert answer["settings"] == {
        "max_versions": 10,
        "compare_and_set_required": True,
        "delete_after_seconds": None,
    }
    assert [(1, "deleted", "1970-01-01T00:00:01.000000Z"), (3, "live", None)] == [
        (version["ordinal"], version["state"], version["deleted_at"]) for version in answer["versions"]
    ]
    assert answer["current"]["ordinal"] == 3


def test_a_folder_is_answered_a_page_at_a_time(gateway: Scripted, rest: Request) -> None:
    """Names, whether they are folders, and the cursor."""
    gateway.answers[ListSecrets] = Page((Entry("a"), Entry("a", folder=True)), "next")
    assert rest("GET", "/api/v1/folders/secret").json() == {
        "entries": [{"name": "a", "folder": False}, {"name": "a", "folder": True}],
        "cursor": "next",
    }


@pytest.mark.parametrize("target", ["/api/v1/folders?recursive=true", "/api/v1/folders/?recursive=true&limit=5"])
def test_a_recursive_page_of_all_mounts_says_what_to_do(rest: Request, gateway: Scripted, target: str) -> None:
    """A walk is within one mount; whoever asks for all of them is told how to get there."""
    answer = rest("GET", target)
    assert 400 == answer.status
    detail = answer.json()["detail"]
    for word in ("name it", "/api/v1/folders/MOUNT?recursive=true", "`wardgate list --recursive`"):
        assert word in detail
    assert [Rejected] == [type(one) for one in gateway.asked]


@pytest.mark.parametrize("target", ["/api/v1/folders", "/api/v1/folders/"])
def test_the_root_folder_shows_the_mounts_one_may_see(gateway: Scripted, rest: Request, target: str) -> None:
    """The root of a namespace holds mounts, not secrets."""
    mount = MountInfo("1", Path(("team", "kv")), "native", {}, {}, 0)
    gateway.answers[ListVisibleMounts] = (mount,)
    assert rest("GET", target).json() == {"entries": [{"name": "team/kv", "folder": True}], "cursor": None}


def test_the_root_folder_tells_what_the_stores_can_do(gateway: Scripted, rest: Request) -> None:
    """Every capability by its name, for whoever plans what to put there."""
    capabilities = Capabilities(write=True, max_value_bytes=4_096)
    gateway.answers[ListVisibleMounts] = (MountInfo("1", Path(("kv",)), "x", {}, {}, 0, capabilities=capabilities),)
    assert [asdict(capabilities)] == [one["capabilities"] for one in rest("GET", "/api/v1/folders").json()["entries"]]


def test_a_version_that_is_gone_says_when_and_how(gateway: Scripted, rest: Request) -> None:
    """410 with what is known of the version."""
    info = VersionInfo(id="1", ordinal=1, state=VersionState.DELETED, deleted_at=1_000_000_000)
    gateway.answers[ReadSecret] = Gone("the version is deleted", info=info)
    response = rest("GET", "/api/v1/secrets/secret/app")
    assert (410, "application/problem+json") == (response.status, response.headers["content-type"])
    assert response.json()["version"] == {
        "id": "1", "ordinal": 1, "state": "deleted", "deleted_at": "1970-01-01T00:00:01.000000Z", "expires_at": None,
    }  # fmt: skip


def test_a_time_that_no_store_keeps_is_not_shown(gateway: Scripted, rest: Request) -> None:
    """Null, and no header: never the year 1970."""
    info = VersionInfo("1", 1)
    gateway.answers[ReadSecret] = SecretVersion(info, Value(b"x"))
    gateway.answers[DescribeSecret] = SecretInfo(info, (info,), 0, 0)
    assert "x-wardgate-created-at" not in rest("GET", "/api/v1/secrets/secret/app").headers
    known = rest("GET", "/api/v1/metadata/secret/app").json()
    assert [None] * 3 == [known["created_at"], known["updated_at"], known["versions"][0]["created_at"]]


def test_an_old_answer_says_its_age(gateway: Scripted, rest: Request) -> None:
    """Age, staleness and warnings are headers, so that a value's body stays its bytes."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"x"))
    gateway.freshness = Freshness(61.5, stale=True)
    gateway.warnings = ("store\r\ndown",)
    headers = rest("GET", "/api/v1/secrets/secret/app").headers
    assert ("61", "true", "store\\u000d\\u000adown") == (
        headers["age"], headers["x-wardgate-stale"], headers["x-wardgate-warning"],
    )  # fmt: skip


def test_a_media_type_that_would_break_a_header_becomes_bytes(gateway: Scripted, rest: Request) -> None:
    """A store's own media type never ends a header."""
    gateway.answers[ReadSecret] = SecretVersion(INFO, Value(b"x", "text/html\r\nx: y"))
    assert rest("GET", "/api/v1/secrets/secret/app").headers["content-type"] == BYTES
