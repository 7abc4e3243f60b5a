"""A gRPC server on loopback that answers every call by one function: for what no emulator does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
from google.protobuf import any_pb2, duration_pb2  # type: ignore[import-untyped]
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from wardgate.spi.backend import Backend
from wardgate_gcp.options import Options
from wardgate_gcp.plugin import BACKEND

Answer = Callable[[str, bytes, Any], bytes]
"""From the name of a call, its request and its context, of which ``abort`` raises, to the answer; both serialized."""
THREADS = 16


@dataclass
class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Listens at ``port`` and keeps the names of the ``calls``."""

    answer: Answer
    calls: list[str] = field(default_factory=list)
    port: int = 0

    def service(self, handler_call_details: Any) -> Any:
        """Every method there could be."""
        name = handler_call_details.method.rpartition("/")[2]

        def handled(request: bytes, context: Any) -> bytes:
            self.calls.append(name)
            return self.answer(name, request, context)

        return grpc.unary_unary_rpc_method_handler(handled)


@contextlib.contextmanager
def answering(answer: Answer, *, port: int = 0) -> Iterator[Service]:
    """Such a server until the end of the block, on that port or any."""
    with ThreadPoolExecutor(THREADS) as threads:
        server, service = grpc.server(threads), Service(answer)
        server.add_generic_rpc_handlers((service,))
        service.port = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        try:
            yield service
        finally:
            server.stop(None).wait()


@contextlib.asynccontextmanager
async def serving(answer: Answer, **options: Any) -> AsyncIterator[tuple[Backend, Service]]:
    """A backend in front of such a server, and the server."""
    with answering(answer) as service:
        backend = opened(service.port, **options)
        try:
            yield backend, service
        finally:
            await backend.close()


def opened(port: int, **options: Any) -> Backend:
    """A backend of project ``p`` that looks for the service there, at a clock that stands still."""
    clock = SimpleNamespace(now=lambda: 0, monotonic=lambda: 0.0)
    given: dict[str, Any] = {"endpoint": f"http://127.0.0.1:{port}", "timeout": 10.0} | options
    settings = Options(project="p", **given)
    return BACKEND.open(settings, cast("Any", SimpleNamespace(clock=clock)))


def refusing(status: Any, message: str = "", *, retry_after: float | None = None) -> Answer:
    """Answers everything with that status; ``retry_after``: with the seconds to wait among its details."""
    trailers: tuple[tuple[str, bytes], ...] = ()
    if retry_after is not None:
        packed = any_pb2.Any()
        whole, part = divmod(retry_after, 1)
        delay = duration_pb2.Duration(seconds=int(whole), nanos=int(part * 1_000_000_000))
        packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        told = status_pb2.Status(code=status.value[0], message=message, details=[packed])
        trailers = (("grpc-status-details-bin", told.SerializeToString()),)

    def answer(_: str, __: bytes, context: Any) -> bytes:
        context.set_trailing_metadata(trailers)
        context.abort(status, message)
        raise AssertionError

    return answer


@contextlib.contextmanager
def throttling(retry_after: int) -> Iterator[tuple[str, int]]:
    """Host and port of a service whose quota is used up for so many seconds."""
    with answering(refusing(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after=retry_after)) as service:
        yield "127.0.0.1", service.port
