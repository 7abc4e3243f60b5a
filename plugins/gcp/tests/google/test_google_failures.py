"""What goes wrong on the way to the service becomes one of the closed list, and says no more than it should."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import threading
import traceback
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import TransportError
from google.cloud.secretmanager_v1 import types
from tests.servers.google_answers import Answer, answering, opened, refusing, serving
from wardgate.spi import errors
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value
from wardgate_gcp import client
from wardgate_gcp.errors import unreachable
from wardgate_gcp.options import Options

SECRET = Path.parse("app/db")
CANARY = "canary-71c3-never-to-be-seen"
VALUE = Value(CANARY.encode())
Kind = type[errors.WardgateError]


async def refusal(attempt: Awaitable[object]) -> errors.WardgateError:
    """The error of one request, checked to carry nothing that was sent or answered."""
    with pytest.raises(errors.WardgateError) as refused:
        await attempt
    error = refused.value
    assert type(error) in errors.CLOSED_LIST
    assert error.__cause__ is None
    assert error.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(error)) + repr(vars(error))
    return error


def hanging(begun: threading.Event, gone: threading.Event) -> Answer:
    """Never answers; tells when it was asked, and when nobody waits any longer."""

    def answer(_: str, __: bytes, context: Any) -> bytes:
        context.add_callback(gone.set)
        begun.set()
        gone.wait()
        return b""

    return answer


CODE = grpc.StatusCode
STATUSES: list[tuple[Any, Kind, Kind]] = [
    (CODE.CANCELLED, errors.Unavailable, errors.OutcomeUnknown),
    (CODE.UNKNOWN, errors.Unavailable, errors.OutcomeUnknown),
    (CODE.INVALID_ARGUMENT, errors.InvalidValue, errors.InvalidValue),
    (CODE.DEADLINE_EXCEEDED, errors.Unavailable, errors.OutcomeUnknown),
    (CODE.NOT_FOUND, errors.SecretNotFound, errors.Unavailable),
    (CODE.ALREADY_EXISTS, errors.AlreadyExists, errors.AlreadyExists),
    (CODE.PERMISSION_DENIED, errors.PermissionDenied, errors.PermissionDenied),
    (CODE.UNAUTHENTICATED, errors.Unauthenticated, errors.Unauthenticated),
    (CODE.RESOURCE_EXHAUSTED, errors.RateLimited, errors.RateLimited),
    (CODE.FAILED_PRECONDITION, errors.Gone, errors.Conflict),
    (CODE.ABORTED, errors.Gone, errors.Conflict),
    (CODE.OUT_OF_RANGE, errors.InvalidValue, errors.InvalidValue),
    (CODE.UNIMPLEMENTED, errors.Unsupported, errors.Unsupported),
    (CODE.INTERNAL, errors.Unavailable, errors.OutcomeUnknown),
    (CODE.UNAVAILABLE, errors.Unavailable, errors.OutcomeUnknown),
    (CODE.DATA_LOSS, errors.Unavailable, errors.OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "read", "written"), STATUSES, ids=lambda value: getattr(value, "name", ""))
def test_every_status_is_one_of_the_closed_list(status: Any, read: Kind, written: Kind) -> None:
    """With no word of the service's; and a write is sent once, whatever comes back."""

    async def case() -> None:
        timeout = 1.0 if status is CODE.UNAVAILABLE else 10.0  # as long is a read of it tried again
        async with serving(refusing(status, CANARY), timeout=timeout) as (backend, service):
            if read is not errors.Gone:
                assert read is type(await refusal(backend.read(SECRET)))
                assert read is type(await refusal(backend.describe(SECRET)))
            service.calls.clear()
            assert written is type(await refusal(backend.write(SECRET, VALUE)))
            assert service.calls.count("AddSecretVersion") == 1

    asyncio.run(case())


def test_no_status_is_forgotten() -> None:
    """Every one there is stands in the table but success."""
    assert {status for status, _, _ in STATUSES} == set(CODE) - {CODE.OK}


def test_a_write_without_an_answer_in_time_is_unclear() -> None:
    """It may have happened, and is not sent twice."""

    async def case() -> None:
        async with serving(hanging(threading.Event(), threading.Event()), timeout=1.0) as (backend, service):
            assert errors.OutcomeUnknown is type(await refusal(backend.write(SECRET, VALUE)))
            assert service.calls == ["AddSecretVersion"]

    asyncio.run(case())


def test_a_write_that_cannot_be_sent_is_unavailable() -> None:
    """The service is down, so nothing can have happened."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async def case() -> None:
        backend = opened(port, timeout=0.3)
        error = await refusal(backend.write(SECRET, VALUE))
        assert errors.Unavailable is type(error)
        assert "the connection was refused; check 'endpoint'" in error.message
        await backend.close()

    asyncio.run(case())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("failed to connect; ipv4:127.0.0.1:1: OPENSSL_internal:WRONG_VERSION_NUMBER", "no TLS is spoken there"),
        ("failed to connect; ipv4:127.0.0.1:1: OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", "is not trusted"),
        ("errors resolving nobody.invalid:1: [Domain name not found]", "there is no such host"),
        ("failed to connect; ipv4:127.0.0.1:1: no route to host", "check 'endpoint' and the network"),
    ],
    ids=["plain", "untrusted", "unknown host", "anything else"],
)
def test_why_there_is_no_connection_is_told(said: str, told: str) -> None:
    """In the words of gRPC's client, which stay here; a write was then not sent."""
    error = unreachable(said)
    assert errors.Unavailable is type(error)
    assert told in error.message
    assert "127.0.0.1" not in error.message


@pytest.mark.parametrize(
    "said",
    ["failed to connect to all addresses; connection refused", "Getting metadata from plugin failed with error: x"],
)
def test_a_service_that_claims_not_to_be_there_was_asked(said: str) -> None:
    """It can say the very words of gRPC's own client: a write is sent once all the same, and is unclear."""

    async def case() -> None:
        async with serving(refusing(CODE.UNAVAILABLE, said), timeout=1.0) as (backend, service):
            assert errors.OutcomeUnknown is type(await refusal(backend.write(SECRET, VALUE)))
            assert service.calls == ["AddSecretVersion"]

    asyncio.run(case())


def test_a_page_that_names_itself_as_the_next_is_no_answer() -> None:
    """A list of it would have no end."""
    page = types.ListSecretsResponse.serialize(types.ListSecretsResponse(next_page_token=CANARY))

    async def case() -> None:
        async with serving(lambda *_: cast("bytes", page)) as (backend, service):
            assert errors.Unavailable is type(await refusal(backend.list(ROOT)))
            assert service.calls == ["ListSecrets"] * 2

    asyncio.run(case())


def test_a_service_of_this_machine_is_asked_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment names, for others."""
    for name in ("grpc_proxy", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def case() -> None:
        async with serving(refusing(CODE.ABORTED)) as (backend, _):
            assert errors.Conflict is type(await refusal(backend.write(SECRET, VALUE)))

    asyncio.run(case())


def test_a_renewal_that_fails_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It failed here, which no service can claim."""
    renewed: list[None] = []

    class Expired(AnonymousCredentials):
        def before_request(self, *_: object) -> None:
            renewed.append(None)
            raise TransportError(CANARY)  # type: ignore[no-untyped-call]

    credentials = Expired()  # type: ignore[no-untyped-call]
    made = client.Client(Options(project="p"))
    made._watch(credentials)
    monkeypatch.setattr(made, "_connected", connected)

    async def call(**_: object) -> None:
        try:
            credentials.before_request(None, "POST", "", {})
        except TransportError:
            raise ServiceUnavailable("Getting metadata from plugin failed") from None  # type: ignore[no-untyped-call]

    async def case() -> None:
        made._api = cast("Any", SimpleNamespace(add=call, transport=None))
        assert errors.Unavailable is type(await refusal(made.ask("add", {}, mutates=True)))

    asyncio.run(case())
    assert renewed == [None]


async def connected(_: object) -> bool:
    return True


def test_a_service_without_tls_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """By gRPC's own client, which speaks TLS to it; trying again would not help."""
    monkeypatch.setattr(client, "_credentials", lambda _: AnonymousCredentials())  # type: ignore[no-untyped-call]

    async def case() -> None:
        with answering(refusing(CODE.INTERNAL)) as service:
            there = f"https://127.0.0.1:{service.port}"
            backend = opened(service.port, endpoint=there, credentials_file=__file__, timeout=1.0)
            error = await refusal(backend.write(SECRET, VALUE))
            assert errors.Unavailable is type(error)
            assert "no TLS is spoken there" in error.message
            await backend.close()

    asyncio.run(case())


def test_a_write_that_was_not_sent_is_sent_when_there_is_a_connection() -> None:
    """Once: the first connection breaks before the service has said a word."""
    written = types.SecretVersion.serialize(types.SecretVersion(name="projects/1/secrets/app--db/versions/1"))

    async def case() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            backend = opened(port)
            attempt = asyncio.create_task(backend.write(SECRET, VALUE))
            connection, _ = await asyncio.to_thread(listener.accept)
            connection.close()
        with answering(lambda *_: cast("bytes", written), port=port) as service:
            assert (await attempt).id == "1"
            assert service.calls == ["AddSecretVersion"]
            await backend.close()

    asyncio.run(case())


def test_a_caller_that_goes_away_takes_its_request_along() -> None:
    """The service sees the cancellation: nothing runs on for nobody."""

    async def case() -> None:
        begun, gone = threading.Event(), threading.Event()
        async with serving(hanging(begun, gone), timeout=60.0) as (backend, _):
            task = asyncio.create_task(backend.read(SECRET))
            assert await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            assert await asyncio.to_thread(gone.wait, 10)
            assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    asyncio.run(case())


def test_values_travel_with_their_checksum() -> None:
    """CRC32C: the service is told that of what is sent, and a value that does not match its own is not served."""
    damaged = types.AccessSecretVersionResponse(
        name="projects/1/secrets/app--db/versions/3", payload={"data": b"123456789", "data_crc32c": 0xE3069282}
    )
    sent: list[Any] = []

    def answer(name: str, request: bytes, _: Any) -> bytes:
        if name == "AccessSecretVersion":
            return cast("bytes", types.AccessSecretVersionResponse.serialize(damaged))
        sent.append(types.AddSecretVersionRequest.deserialize(request).payload)
        return cast("bytes", types.SecretVersion.serialize(types.SecretVersion(name="a/1")))

    async def case() -> None:
        async with serving(answer) as (backend, _):
            await backend.write(SECRET, Value(b"123456789"))
            assert [(b"123456789", 0xE3069283)] == [(one.data, one.data_crc32c) for one in sent]
            assert errors.Unavailable is type(await refusal(backend.read(SECRET)))

    asyncio.run(case())


def test_what_the_service_would_refuse_is_not_sent() -> None:
    """An empty value, one that is too large, a name that no secret has, a stage that none can."""

    async def case() -> None:
        async with serving(refusing(CODE.INTERNAL)) as (backend, service):
            assert errors.InvalidValue is type(await refusal(backend.write(SECRET, Value(b""))))
            assert errors.TooLarge is type(await refusal(backend.write(SECRET, Value(b"x" * 65_537))))
            assert errors.TooLarge is type(await refusal(backend.write(Path(("x" * 256,)), VALUE)))
            assert errors.SecretNotFound is type(await refusal(backend.read(Path(("x" * 256,)))))
            assert errors.InvalidValue is type(await refusal(backend.move_stage(SECRET, "latest", version="1")))
            assert service.calls == []

    asyncio.run(case())


def test_a_secret_takes_as_many_stages_as_the_service_holds() -> None:
    """The one after them is refused before it is sent; one that is there already can still be moved."""
    full = types.Secret(name="projects/1/secrets/app--db", version_aliases={f"stage-{n}": 1 for n in range(50)})

    def answer(name: str, _: bytes, __: Any) -> bytes:
        if name == "GetSecretVersion":
            return cast("bytes", types.SecretVersion.serialize(types.SecretVersion(name="a/2")))
        return cast("bytes", types.Secret.serialize(full))

    async def case() -> None:
        async with serving(answer) as (backend, service):
            assert errors.TooLarge is type(await refusal(backend.move_stage(SECRET, "another", version="2")))
            assert "UpdateSecret" not in service.calls
            await backend.move_stage(SECRET, "stage-7", version="2")
            assert "UpdateSecret" in service.calls

    asyncio.run(case())


def test_a_change_that_always_meets_another_is_a_conflict() -> None:
    """After three attempts, each on what was there by then."""

    def answer(name: str, _: bytes, context: Any) -> bytes:
        if name == "UpdateSecret":
            context.abort(CODE.ABORTED, CANARY)
        return cast("bytes", types.Secret.serialize(types.Secret(name="projects/1/secrets/app--db", etag="x")))

    async def case() -> None:
        async with serving(answer) as (backend, service):
            assert errors.Conflict is type(await refusal(backend.annotate(SECRET, labels={"a": "b"})))
            assert service.calls == ["GetSecret", "UpdateSecret"] * 3

    asyncio.run(case())


def test_a_detailed_log_holds_no_value(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's client would write whole requests and answers into it, and does so for an operator who asks for that."""
    held = types.AccessSecretVersionResponse(name="projects/1/secrets/app--db/versions/1", payload={"data": VALUE.data})

    def answer(name: str, _: bytes, __: Any) -> bytes:
        if name == "AccessSecretVersion":
            return cast("bytes", types.AccessSecretVersionResponse.serialize(held))
        return cast("bytes", types.SecretVersion.serialize(types.SecretVersion(name="a/1")))

    async def case() -> None:
        async with serving(answer) as (backend, _):
            await backend.write(SECRET, VALUE)
            assert (await backend.read(SECRET)).value == VALUE

    for name in ("google", "google.cloud.secretmanager_v1"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, name)
    caplog.set_level(logging.DEBUG)
    asyncio.run(case())
    assert "google" in {record.name.partition(".")[0] for record in caplog.records}
    written = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert CANARY not in written
    assert base64.b64encode(VALUE.data).decode() not in written
