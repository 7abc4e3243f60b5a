"""What answers that no emulator gives become, for both stores."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
import trustme
from tests.servers.aws_answers import LOST, Answer, answering, refused
from tests.servers.aws_harness import opened
from wardgate.spi.backend import Backend
from wardgate.spi.errors import (
    CLOSED_LIST,
    Conflict,
    Gone,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Expect, Value
from wardgate_aws.errors import of_answer
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER
from wardgate_conformance.answering import throttling

pytestmark = pytest.mark.usefixtures("some_credentials")
SECRET = Path.parse("team/database")
PATIENCE = 30
CANARY = "canary-7d1e-never-to-be-seen"
VALUE = Value(CANARY.encode())
STORES = [pytest.param(SECRETS_MANAGER, id="secrets-manager"), pytest.param(PARAMETER_STORE, id="parameter-store")]
Asked = Callable[[Backend], Awaitable[object]]

READS: dict[str, Asked] = {
    "read": lambda backend: backend.read(SECRET),
    "read a version": lambda backend: backend.read(SECRET, version="1" * 32),
    "list": lambda backend: backend.list(ROOT),
    "describe": lambda backend: backend.describe(SECRET),
}
WRITES: dict[str, Asked] = {
    "write": lambda backend: backend.write(SECRET, VALUE),
    "delete": lambda backend: backend.delete(SECRET),
}


def run(kind: BackendType, url: str, work: Callable[[Backend], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Do the work with a backend, and close that."""

    async def opened_and_closed() -> None:
        backend = opened(kind, url, **{"timeout": 2.0, **options})
        try:
            await work(backend)
        finally:
            await backend.close()

    asyncio.run(opened_and_closed())


async def refusal(asked: Awaitable[object]) -> WardgateError:
    """The error that it ends in, one of the closed list and without a value."""
    with pytest.raises(WardgateError) as told:
        await asked
    assert type(told.value) in CLOSED_LIST
    assert CANARY not in "".join(traceback.format_exception(told.value)) + repr(vars(told.value))
    return told.value


@pytest.mark.parametrize(
    ("code", "words", "status", "kind"),
    [
        ("ResourceNotFoundException", "can't find the specified secret.", 400, SecretNotFound),
        ("ResourceNotFoundException", "can't find the specified secret value for VersionId: x", 400, VersionNotFound),
        ("InvalidRequestException", "a secret with this name is already scheduled for deletion.", 400, Gone),
        ("InvalidRequestException", "because it was marked for deletion.", 400, Gone),
        ("InvalidRequestException", "currently marked deleted", 400, Gone),
        ("InvalidRequestException", "anything else", 400, InvalidValue),
        ("PreconditionNotMetException", "", 400, Conflict),
        ("LimitExceededException", "", 400, TooLarge),
        ("DecryptionFailure", "", 400, Unavailable),
        ("ParameterNotFound", "", 400, SecretNotFound),
        ("ParameterVersionNotFound", "", 400, VersionNotFound),
        ("ParameterLimitExceeded", "", 400, TooLarge),
        ("ParameterMaxVersionLimitExceeded", "", 400, Conflict),
        ("ParameterVersionLabelLimitExceeded", "", 400, TooLarge),
        ("HierarchyLevelLimitExceededException", "", 400, TooLarge),
        ("HierarchyTypeMismatchException", "", 400, InvalidValue),
        ("InvalidKeyId", "", 400, Unavailable),
        ("InvalidResourceId", "", 400, SecretNotFound),
        ("TooManyTagsError", "", 400, TooLarge),
        ("TooManyUpdates", "", 400, Conflict),
        ("UnsupportedParameterType", "", 400, Unsupported),
        ("ValidationException", "", 400, InvalidValue),
        ("AccessDeniedException", "", 400, PermissionDenied),
        ("UnrecognizedClientException", "", 400, Unauthenticated),
        ("ExpiredTokenException", "", 400, Unauthenticated),
        ("NeverHeardOf", "", 403, PermissionDenied),
        ("ThrottlingException", "", 400, RateLimited),
        ("RequestLimitExceeded", "", 400, RateLimited),
        ("NeverHeardOf", "", 429, RateLimited),
        ("InternalServiceError", "", 500, OutcomeUnknown),
        ("InternalServerError", "", 500, OutcomeUnknown),
        ("NeverHeardOf", "", 400, OutcomeUnknown),
    ],
)
def test_each_answer_is_one_error(code: str, words: str, status: int, kind: type[WardgateError]) -> None:
    """Of the closed list, and without a word of the store's."""
    found = of_answer(code, words, status, mutates=True)
    assert type(found) is kind
    assert not words or words not in found.message


def test_an_unclear_answer_to_a_read_changes_nothing() -> None:
    """It is Unavailable, not unknown."""
    assert type(of_answer("InternalServiceError", "", 500, mutates=False)) is Unavailable


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    ("told", "wait"),
    [(None, None), ("7", 7.0), ("nan", None), ("-1", None), ("9" * 40, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_a_wait_is_told_only_where_it_is_one(kind: BackendType, told: str | None, wait: float | None) -> None:
    """AWS seldom names one. A caller would wait for ever on nonsense, or fail on it."""

    async def asked(backend: Backend) -> None:
        for one in (backend.read(SECRET), backend.write(SECRET, VALUE)):
            error = await refusal(one)
            assert isinstance(error, RateLimited)
            assert error.retry_after == wait

    with answering(lambda *_: refused("ThrottlingException", retry_after=told)) as endpoint:
        run(kind, endpoint.url, asked)


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    "nonsense",
    [b"<html>Sign in</html>", b"", b"[]", b"null", b'{"Message": "hello"}', b'{"SecretList": 1, "Parameters": 1}',
     b'{"Parameter": {}, "Parameters": [{}], "VersionId": "x", "SecretList": [{}], "Name": "x", "Versions": [{}]}',
     b'{"Parameter": {"Value": 1, "Version": "x"}, "Parameters": [null], "SecretList": [null], "VersionId": "x"}'],
)  # fmt: skip
def test_nonsense_is_no_answer(kind: BackendType, nonsense: bytes) -> None:
    """A page that some other server sends with status 200: nothing is made of it, and a write is not called done."""

    async def asked(backend: Backend) -> None:
        for ask in READS.values():
            assert type(await refusal(ask(backend))) is Unavailable
        assert type(await refusal(WRITES["write"](backend))) is OutcomeUnknown
        assert not (await backend.health()).ok

    with answering(lambda *_: Answer(body=nonsense)) as endpoint:
        run(kind, endpoint.url, asked)


@contextlib.contextmanager
def once(first: Answer, then: Answer) -> Iterator[str]:
    """An endpoint that answers the first request in one way, and all others in another."""
    answers = [first]
    with answering(lambda *_: answers.pop() if answers else then) as endpoint:
        yield endpoint.url


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("first", [LOST, refused("InternalServiceError", status=500)], ids=["lost", "status 500"])
@pytest.mark.parametrize("then", ["ThrottlingException", "AccessDeniedException", "InvalidRequestException"])
def test_a_later_attempt_says_nothing_of_an_earlier_one(kind: BackendType, name: str, first: Answer, then: str) -> None:
    """A change that was sent, and not clearly answered, is unknown whatever a repetition of it is told."""

    async def asked(backend: Backend) -> None:
        assert type(await refusal(WRITES[name](backend))) is OutcomeUnknown

    with once(first, refused(then)) as url:
        run(kind, url, asked)


@pytest.mark.parametrize("kind", STORES)
def test_a_write_that_is_never_answered_is_unknown(kind: BackendType) -> None:
    """The request arrived whole; nothing comes before the time limit."""
    over = threading.Event()

    async def asked(backend: Backend) -> None:
        try:
            assert type(await refusal(WRITES["write"](backend))) is OutcomeUnknown
        finally:
            over.set()

    def never(*_: object) -> Answer:
        over.wait(PATIENCE)
        return LOST

    with answering(never) as endpoint:
        run(kind, endpoint.url, asked, timeout=0.2)


def test_a_parameter_is_put_once() -> None:
    """A second attempt would make a second version, so there is none: not even where the first was refused."""

    async def asked(backend: Backend) -> None:
        await refusal(WRITES["write"](backend))

    for answer in (LOST, refused("ThrottlingException"), refused("InternalServerError", status=500)):
        with answering(lambda *_, answer=answer: answer) as endpoint:
            run(PARAMETER_STORE, endpoint.url, asked)
            assert endpoint.asked == ["PutParameter"]


def test_a_secret_is_put_again_under_the_same_token() -> None:
    """So that the store knows it for the same: an answer that was lost is no second version."""
    tokens = []

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        tokens.append(asked.get("ClientRequestToken", asked.get("VersionId")))
        return LOST if len(tokens) == 1 else Answer(body={"VersionId": tokens[0], "Name": "x", "SecretString": "x"})

    async def asked(backend: Backend) -> None:
        assert (await backend.write(SECRET, VALUE)).id == tokens[0]

    with answering(answer) as endpoint:
        run(SECRETS_MANAGER, endpoint.url, asked)
        assert endpoint.asked == ["PutSecretValue", "PutSecretValue", "GetSecretValue"]
    assert len(set(tokens)) == 1


def test_a_compare_and_set_that_cannot_tell_says_so() -> None:
    """The version is stored, and whether it became current is not known."""

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        if action == "DescribeSecret":
            return Answer(body={"Name": "x", "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}})
        put: dict[str, Any] = {"Name": "x", "VersionId": asked.get("ClientRequestToken"), "VersionStages": []}
        return LOST if action == "UpdateSecretVersionStage" else Answer(body=put)

    async def asked(backend: Backend) -> None:
        assert type(await refusal(backend.write(SECRET, VALUE, expect=Expect("1" * 32)))) is OutcomeUnknown

    with answering(answer) as endpoint:
        run(SECRETS_MANAGER, endpoint.url, asked)


@pytest.mark.parametrize(("holder_by_then", "expected"), [("1" * 32, InvalidValue), ("2" * 32, Conflict)], ids=str)
def test_a_refused_label_is_no_lost_race(holder_by_then: str, expected: type[WardgateError]) -> None:
    """The store says the same of both; only where somebody else moved the label is it told as a conflict."""

    def answer(action: str, asked: dict[str, Any]) -> Answer:
        if action == "DescribeSecret":
            holder = holder_by_then if "UpdateSecretVersionStage" in endpoint.asked else "1" * 32
            return Answer(body={"Name": "x", "VersionIdsToStages": {holder: ["blue"]}})
        if action == "ListSecretVersionIds":
            return Answer(body={"Versions": [{"VersionId": "3" * 32}]})
        return refused("InvalidParameterException")

    async def asked(backend: Backend) -> None:
        assert type(await refusal(backend.move_stage(SECRET, "blue", version="3" * 32))) is expected

    with answering(answer) as endpoint:
        run(SECRETS_MANAGER, endpoint.url, asked)


@pytest.mark.parametrize("kind", STORES)
def test_nothing_to_change_and_nothing_to_find_is_not_asked_about(kind: BackendType) -> None:
    """Labels that are not given make no secret, and a path that the store cannot hold has none."""
    long = Path.parse("x" * 255 + "/" + "x" * 255 + "/" + "x" * 255 + "/" + "x" * 255)

    async def asked(backend: Backend) -> None:
        await backend.annotate(SECRET)
        assert type(await refusal(backend.write(long, VALUE))) is TooLarge
        for one in (backend.read(long), backend.describe(long), backend.delete(long), backend.read(ROOT)):
            assert type(await refusal(one)) is SecretNotFound

    with answering(lambda *_: LOST) as endpoint:
        run(kind, endpoint.url, asked)
        assert endpoint.asked == []


@pytest.mark.parametrize("kind", STORES)
def test_a_store_that_is_not_there_is_unavailable(kind: BackendType) -> None:
    """And its health says so without raising."""

    async def asked(backend: Backend) -> None:
        assert type(await refusal(backend.read(SECRET))) is Unavailable
        assert type(await refusal(backend.write(SECRET, VALUE))) is Unavailable
        assert not (await backend.health()).ok

    run(kind, "http://127.0.0.1:1", asked, timeout=0.5)


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("http://127.0.0.1:1", "the connection was refused"),
        ("https://nobody.invalid", "there is no such host"),
        (None, "no TLS is spoken there"),
    ],
    ids=["refused", "unknown", "plain"],
)
def test_why_there_is_no_connection_is_told(kind: BackendType, place: str | None, why: str) -> None:
    """With the options to look at; a write was then not sent."""

    async def asked(backend: Backend) -> None:
        for one in (backend.read(SECRET), backend.write(SECRET, VALUE)):
            error = await refusal(one)
            assert type(error) is Unavailable
            assert f"{why}; check 'region' and 'endpoint'" in error.message

    with answering(lambda *_: LOST) as endpoint:
        run(kind, place or endpoint.url.replace("http:", "https:"), asked)
        assert endpoint.asked == []


@pytest.mark.parametrize("kind", STORES)
def test_the_endpoint_s_certificate_is_checked(kind: BackendType, tmp_path: FilePath) -> None:
    """Against the authorities everybody trusts, or the one in ``ca_file``; a write to another is never sent."""
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def stranger(backend: Backend) -> None:
        for one in (backend.read(SECRET), backend.write(SECRET, VALUE)):
            error = await refusal(one)
            assert type(error) is Unavailable
            assert "certificate" in error.message

    async def known(backend: Backend) -> None:
        assert type(await refusal(backend.read(SECRET))) is RateLimited

    with throttling(1, tls=tls) as (host, port):
        run(kind, f"https://{host}:{port}", stranger)
        run(kind, f"https://{host}:{port}", known, ca_file=str(tmp_path / "ca.pem"))
