"""What goes wrong on the way to the service becomes one of the closed list, and says no more than it should."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import pytest
from google.cloud.secretmanager_v1 import types
from google.protobuf import any_pb2, duration_pb2  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from wardgate.spi import errors
from wardgate.spi.backend import Backend
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value
from wardgate_gcp.backend import BACKEND
from wardgate_gcp.options import Options

SECRET = Path.parse("app/db")
CANARY = "canary-71c3-never-to-be-seen"
VALUE = Value(CANARY.encode())
Kind = type[errors.WardgateError]
Answer = Callable[[str, Any], Awaitable[bytes]]


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Answers every call by one function; keeps the names of the calls."""

    def __init__(self, answer: Answer) -> None:
        self.calls: list[str] = []
        self._answer = answer

    def service(self, handler_call_details: Any) -> Any:
        name = handler_call_details.method.rpartition("/")[2]

        async def handled(_: bytes, context: Any) -> bytes:
            self.calls.append(name)
            return await self._answer(name, context)

        return grpc.unary_unary_rpc_method_handler(handled)


@asynccontextmanager
async def serving(answer: Answer, **options: Any) -> AsyncIterator[tuple[Backend, Service]]:
    """A backend in front of a server that answers so."""
    server, service = grpc.aio.server(), Service(answer)
    server.add_generic_rpc_handlers((service,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    backend = opened(f"http://127.0.0.1:{port}", **options)
    try:
        yield backend, service
    finally:
        await backend.close()
        await server.stop(None)


def opened(endpoint: str, **options: Any) -> Backend:
    clock = SimpleNamespace(now=lambda: 0, monotonic=lambda: 0.0)
    settings = Options(project="p", endpoint=endpoint, **({"timeout": 0.3, "metadata": False} | options))
    return BACKEND.open(settings, cast("Any", SimpleNamespace(clock=clock)))


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


def answering(status: Any) -> Answer:
    async def answer(_: str, context: Any) -> bytes:
        await context.abort(status, CANARY)
        raise AssertionError

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
    (CODE.UNAUTHENTICATED, errors.PermissionDenied, errors.PermissionDenied),
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
        async with serving(answering(status)) as (backend, service):
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


def test_a_delay_that_the_service_asks_for_is_passed_on() -> None:
    """From the details of its status."""
    info = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=7, nanos=500_000_000))
    packed = any_pb2.Any()
    packed.Pack(info)
    status = status_pb2.Status(code=8, message=CANARY, details=[packed])

    async def answer(_: str, context: Any) -> bytes:
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(CODE.RESOURCE_EXHAUSTED, CANARY, trailers)
        raise AssertionError

    async def case() -> None:
        async with serving(answer) as (backend, _):
            for attempt in (backend.read(SECRET), backend.write(SECRET, VALUE), backend.list(ROOT)):
                error = await refusal(attempt)
                assert isinstance(error, errors.RateLimited)
                assert error.retry_after == 7.5

    asyncio.run(case())


def test_no_answer_in_time() -> None:
    """A read can be asked again; a write may have happened, and is not sent twice."""

    async def answer(_: str, context: Any) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    async def case() -> None:
        async with serving(answer, timeout=0.1) as (backend, service):
            assert errors.Unavailable is type(await refusal(backend.read(SECRET)))
            assert errors.OutcomeUnknown is type(await refusal(backend.write(SECRET, VALUE)))
            assert service.calls.count("AddSecretVersion") == 1

    asyncio.run(case())


def test_a_service_that_is_down_is_unavailable(unused_tcp_port: int) -> None:
    """For a write too: nothing was sent, so nothing can have happened."""

    async def case() -> None:
        backend = opened(f"http://127.0.0.1:{unused_tcp_port}")
        try:
            for attempt in (backend.read(SECRET), backend.write(SECRET, VALUE)):
                assert errors.Unavailable is type(await refusal(attempt))
            assert not (await backend.health()).ok
        finally:
            await backend.close()

    asyncio.run(case())


def test_a_caller_that_goes_away_takes_its_request_along() -> None:
    """The service sees the cancellation: nothing runs on for nobody."""

    async def case() -> None:
        begun, gone = asyncio.Event(), asyncio.Event()

        async def answer(_: str, context: Any) -> bytes:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                gone.set()
            raise AssertionError

        async with serving(answer, timeout=60.0) as (backend, _):
            task = asyncio.create_task(backend.read(SECRET))
            await begun.wait()
            task.cancel()
            await asyncio.wait_for(gone.wait(), 10)
            assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    asyncio.run(case())


def test_a_value_that_was_damaged_is_not_served() -> None:
    """The checksum beside it tells."""
    damaged = types.AccessSecretVersionResponse(
        name="projects/1/secrets/app--db/versions/3", payload={"data": VALUE.data, "data_crc32c": 1}
    )

    async def answer(_: str, context: Any) -> bytes:
        return cast("bytes", types.AccessSecretVersionResponse.serialize(damaged))

    async def case() -> None:
        async with serving(answer) as (backend, _):
            assert errors.Unavailable is type(await refusal(backend.read(SECRET)))

    asyncio.run(case())


def test_what_the_service_would_refuse_is_not_sent() -> None:
    """An empty value, and one that is too large."""

    async def case() -> None:
        async with serving(answering(CODE.INTERNAL)) as (backend, service):
            assert errors.InvalidValue is type(await refusal(backend.write(SECRET, Value(b""))))
            assert errors.TooLarge is type(await refusal(backend.write(SECRET, Value(b"x" * 65_537))))
            assert service.calls == []

    asyncio.run(case())


def test_a_change_that_always_meets_another_is_a_conflict() -> None:
    """After three attempts, each on what was there by then."""

    async def answer(name: str, context: Any) -> bytes:
        if name == "UpdateSecret":
            await context.abort(CODE.ABORTED, CANARY)
        return cast("bytes", types.Secret.serialize(types.Secret(name="projects/1/secrets/app--db", etag="x")))

    async def case() -> None:
        async with serving(answer) as (backend, service):
            assert errors.Conflict is type(await refusal(backend.annotate(SECRET, labels={"a": "b"})))
            assert service.calls == ["GetSecret", "UpdateSecret"] * 3

    asyncio.run(case())


@pytest.fixture
def unused_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
