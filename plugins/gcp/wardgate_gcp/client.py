"""The one place that holds Google's client: it is made at the first request, on the loop that asks.

Requests go over gRPC's own asyncio, so a caller that goes away takes its request with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, cast

import google.auth
import grpc  # type: ignore[import-untyped]
from google.api_core.exceptions import GoogleAPICallError, RetryError, ServiceUnavailable
from google.api_core.retry_async import AsyncRetry
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport as Transport,
)
from wardgate.spi.errors import Unauthenticated, Unavailable, WardgateError, unclear
from wardgate.spi.threads import Threads

from wardgate_gcp import errors
from wardgate_gcp.options import Options, target

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
RETRY_SECONDS = 3.0
"""How long a request is tried again. The client's own policy, a minute, would outlast the caller's patience."""
CHANNEL = (
    # A list's page is larger than the four megabytes that a client takes unless it is told.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # By itself it would wait up to two minutes before it connects again, and refuse all requests meanwhile.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # As often as every server allows. With it the system gives up a connection whose other end is silent.
    ("grpc.keepalive_time_ms", 300_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
# At DEBUG the client writes whole requests and answers to this logger, values included.
logging.getLogger(Transport.__module__).setLevel(logging.INFO)


class _Decoded(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc has no types
    """gRPC hands over None for an answer it could not decode, which looks like that of a call that answers nothing."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        call = await continuation(details, request)
        if await call is None:
            raise ValueError("the answer could not be decoded")
        return call


class Client:
    """Asks the service; every failure is one of the closed list."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = asyncio.Lock()
        self._thread = Threads("wardgate-gcp", 1)
        self._api: SecretManagerServiceAsyncClient | None = None
        self._closed = False
        self._renewals_failed = 0
        self._patience = min(RETRY_SECONDS, options.timeout)
        self._retry = AsyncRetry(
            predicate=lambda problem: isinstance(problem, ServiceUnavailable) and not _unrenewed(problem),
            initial=0.1,
            maximum=1.0,
            multiplier=2.0,
            timeout=self._patience,
        )

    async def ask(self, call: str, request: Mapping[str, Any], *, mutates: bool = False) -> Any:
        """The answer to one request.

        A read is tried again while the service is unavailable; a change is sent once, and only over a connection that
        is there. The words of a failure are no proof that it was not sent: a service can say them as well.
        """
        api = await self._opened()
        if not await self._connected(api):
            raise await self._hindrance(api)
        retry, failed = (None if mutates else self._retry), self._renewals_failed
        try:
            return await getattr(api, call)(request=request, retry=retry, timeout=self._options.timeout)
        except Exception as problem:  # noqa: BLE001  # whatever the libraries raise must not pass
            unrenewed = _unrenewed(problem) and (not mutates or self._renewals_failed > failed)
            error = errors.unrenewed() if unrenewed else _error(problem, mutates=mutates)
        raise error  # here, where the problem with its details is no longer its context

    async def versions(self, request: Mapping[str, Any]) -> AsyncIterator[Any]:
        """All versions of a secret, page after page."""
        async for page in self._pages("list_secret_versions", request):
            for version in page.versions:
                yield version

    async def names(self, request: Mapping[str, Any]) -> AsyncIterator[str]:
        """The full names of all secrets."""
        async for page in self._pages("list_secrets", request):
            # As protobuf has them: the SDK's own objects take twenty times as long to make.
            for secret in page.secrets.pb:
                yield secret.name

    async def _pages(self, call: str, request: Mapping[str, Any]) -> AsyncIterator[Any]:
        token, seen = "", {""}
        while True:
            page = await self.ask(call, {**request, "page_token": token})
            yield page
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                raise Unavailable(errors.NONSENSE)
            seen.add(token)

    async def close(self) -> None:
        """Close the connection; what is asked for afterwards is Unavailable. Safe to call twice."""
        self._closed = True
        self._thread.close()
        api, self._api = self._api, None
        if api is not None:
            await api.transport.close()  # type: ignore[no-untyped-call]

    async def _opened(self) -> SecretManagerServiceAsyncClient:
        async with self._lock:
            if self._closed:
                raise Unavailable("this mount is closed")
            if self._api is None:
                self._api = SecretManagerServiceAsyncClient(transport=await self._transport())
            return self._api

    async def _connected(self, api: SecretManagerServiceAsyncClient) -> bool:
        """Whether there is a connection, at once or within the time that a request is tried again."""
        try:
            async with asyncio.timeout(self._patience):
                await cast("Transport", api.transport).grpc_channel.channel_ready()
        except (TimeoutError, grpc.aio.UsageError):  # the latter where it was closed meanwhile
            return False
        return True

    async def _hindrance(self, api: SecretManagerServiceAsyncClient) -> WardgateError:
        """Why there is no connection: gRPC tells it of a request alone, so one is made that asks for nothing."""
        try:
            nothing = cast("Transport", api.transport).grpc_channel.unary_unary("/wardgate/Nothing")
            await nothing(b"", timeout=self._patience)
        except grpc.aio.AioRpcError as problem:
            return errors.unreachable(problem.details() or "")
        except grpc.aio.UsageError:  # it was closed meanwhile
            pass
        return errors.unreachable("")

    async def _transport(self) -> Transport:
        host, secure = target(self._options)
        if not secure:
            # What stays on this machine goes through no proxy.
            direct = (*CHANNEL, ("grpc.enable_http_proxy", 0))
            return Transport(host=host, channel=grpc.aio.insecure_channel(host, direct, interceptors=[_Decoded()]))
        # Files are read, and on Google's machines a metadata server is asked.
        credentials, authority = await self._thread.run(_loaded, self._options)
        if credentials is None:
            given = self._options.credentials_file is not None
            raise Unauthenticated(errors.UNUSABLE_FILE if given else errors.NO_CREDENTIAL)
        trusted = grpc.ssl_channel_credentials(authority) if authority else None
        return Transport(host=host, credentials=credentials, ssl_channel_credentials=trusted, channel=self._channel)

    def _channel(self, host: str, *, options: Sequence[tuple[str, int]], credentials: Any, **named: Any) -> Any:
        """As the client makes one, with options of our own, and with the credentials that it made of those given."""
        self._watch(credentials)
        options = [*options, *CHANNEL]
        return Transport.create_channel(
            host, options=options, credentials=credentials, interceptors=[_Decoded()], **named
        )

    def _watch(self, credentials: Any) -> None:
        """Count the renewals that fail here: a service can say the words, and cannot make one fail."""
        renew = credentials.before_request

        def watched(*given: Any, **named: Any) -> None:
            try:
                renew(*given, **named)
            except Exception:
                self._renewals_failed += 1
                raise

        credentials.before_request = watched


def _unrenewed(problem: Exception) -> bool:
    return isinstance(problem, ServiceUnavailable) and errors.UNRENEWED in (problem.message or "").lower()


def _loaded(options: Options) -> tuple[Any, bytes | None]:
    """The credentials, where there are usable ones, and the authority that the options name."""
    authority = FilePath(options.ca_file).read_bytes() if options.ca_file else None
    return _credentials(options.credentials_file), authority


def _credentials(file: str | None) -> Any:
    try:
        if file is not None:
            return google.auth.load_credentials_from_file(file, scopes=SCOPES)[0]  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=SCOPES)[0]
    except (GoogleAuthError, OSError, ValueError):
        return None


def _error(problem: Exception, *, mutates: bool) -> WardgateError:
    if isinstance(problem, WardgateError):
        return problem
    if isinstance(problem, RetryError) and isinstance(problem.cause, Exception):
        problem = problem.cause
    if not isinstance(problem, GoogleAPICallError) or problem.grpc_status_code is None:
        return unclear("the request to the store failed", mutates=mutates)
    return errors.of_status(
        problem.grpc_status_code.name,
        mutates=mutates,
        retry_after=errors.retry_after(problem.details),
    )
