"""The SDK behind one door: its calls run in threads, and fail with errors of the closed list alone."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wardgate.spi.deadline import Deadlines, within
from wardgate.spi.errors import OutcomeUnknown, Unavailable, unclear, wait_told
from wardgate.spi.networks import is_loopback
from wardgate.spi.threads import Threads

from wardgate_aws.shapes import NONSENSE

if TYPE_CHECKING:
    from wardgate.spi.deadline import Deadline
    from wardgate.spi.errors import WardgateError
    from wardgate.spi.services import Clock

    from wardgate_aws.options import Options

ATTEMPTS = 3
"""How often the SDK itself tries a request that can be repeated without harm."""
TIMES_IN_ALL = 3
"""How many times its timeout a request may take in all, with the attempts that are repeated."""
MAX_ANSWERS = 32 * 1024 * 1024
"""Bytes of all answers to one request; the longest page is a few MiB."""
MAX_PAGES = 20_000
"""Of one list: several times what an account may hold."""


class Client:
    """One service of one region. The SDK is loaded and its client built by the first call, in a thread."""

    def __init__(self, options: Options, service: str, clock: Clock) -> None:
        self._options = options
        self._service = service
        self._deadlines = Deadlines(clock, timeout=options.timeout, total=options.timeout * TIMES_IN_ALL)
        self._threads = Threads(f"aws-{service}", options.pool_size)
        self._lock = threading.Lock()
        self._clients: dict[bool, Any] = {}
        self._attempts = threading.local()

    async def call(
        self,
        method: str,
        *,
        holds: str | None = None,
        mutates: bool = False,
        idempotent: bool = False,
        **params: Any,
    ) -> dict[str, Any]:
        """Make one request, such as ``get_secret_value``, and return the answer as the SDK gives it.

        Args:
            method: the SDK's name of the request.
            holds: what the answer must have, or it is none of the store's; None where it need say nothing, and is known
                by its request id alone.
            mutates: whether it changes something; an unclear answer is then OutcomeUnknown, else Unavailable.
            idempotent: of one that mutates: whether a second one does no harm. Others are sent once.
            params: the request's parameters, as the SDK calls them.
        """
        repeat = idempotent or not mutates
        with self._deadlines.one() as deadline:
            answer = await self._threads.run(self._call, deadline, method, params, mutates=mutates, repeat=repeat)
        if not isinstance(answer, dict):
            raise answer
        if not (_is_the_store_s(answer) if holds is None else holds in answer):
            raise unclear(NONSENSE, mutates=mutates)
        return answer

    async def pages(self, method: str, key: str, **params: Any) -> Sequence[Mapping[str, Any]]:
        """The items that all pages of a request hold under ``key``. The store may leave a page empty and go on."""
        found: list[Mapping[str, Any]] = []
        more: dict[str, Any] = {}
        seen: set[str] = set()
        while len(seen) < MAX_PAGES:
            answer = await self.call(method, holds=key, **params, **more)
            found.extend(answer[key])
            token = answer.get("NextToken")
            if not token:
                return found
            if not isinstance(token, str) or token in seen:
                break  # it would go on for ever
            seen.add(token)
            more = {"NextToken": token}
        raise Unavailable(NONSENSE)

    async def close(self) -> None:
        """Give back threads and connections; requests under way end now."""
        self._threads.close()
        self._deadlines.cut()
        for client in self._clients.values():
            client.close()

    def _call(
        self, deadline: Deadline, method: str, params: Mapping[str, object], *, mutates: bool, repeat: bool
    ) -> dict[str, Any] | WardgateError:
        """The answer or the error, given back and not raised: an error raised here would carry the answer along."""
        import botocore.exceptions  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time

        from wardgate_aws import errors  # noqa: PLC0415  # it needs the SDK

        self._attempts.unclear = self._attempts.whole = False
        try:
            client = self._client(repeat=repeat)
            # Loading the SDK is none of the store's doing, and waiting for a thread neither.
            deadline.restart()
            deadline.allow(MAX_ANSWERS)
            with within(deadline):
                answer = getattr(client, method)(**params)
        except botocore.exceptions.ClientError as error:
            told = error.response.get("Error", {})
            meta = error.response.get("ResponseMetadata", {})
            found = errors.of_answer(
                # A namespace can stand before the code.
                str(told.get("Code", "")).rpartition("#")[2],
                str(told.get("Message", "")),
                int(meta.get("HTTPStatusCode", 0)),
                mutates=mutates,
                retry_after=wait_told(meta.get("HTTPHeaders", {}).get("retry-after")),
            )
        except Exception as error:  # noqa: BLE001  # whatever the SDK lets through is the store's failure
            found = errors.of_exception(error, mutates=mutates)
        else:
            if self._attempts.whole:
                return dict(answer)
            found = unclear(errors.BROKEN, mutates=mutates)
        if mutates and self._attempts.unclear and not isinstance(found, OutcomeUnknown):
            # The last of several attempts says nothing of those before it.
            return unclear(errors.BROKEN, mutates=True)
        return found

    def _attempted(self, response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: object) -> None:
        """Hear of one attempt: what was sent without a clear answer may have been done."""
        from wardgate_aws import errors  # noqa: PLC0415  # it needs the SDK

        status = None if response is None else response[0].status_code
        self._attempts.whole = response is not None and _is_whole(response[0])
        if errors.is_unclear(status, caught_exception):
            self._attempts.unclear = True

    def _client(self, *, repeat: bool) -> Any:
        with self._lock:
            if repeat not in self._clients:
                self._clients[repeat] = self._build(attempts=ATTEMPTS if repeat else 1)
            return self._clients[repeat]

    def _build(self, *, attempts: int) -> Any:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time
        import botocore.session  # type: ignore[import-untyped]  # noqa: PLC0415
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415

        from wardgate_aws.transport import bound  # noqa: PLC0415  # it needs the SDK

        # Told to be detailed, the SDK writes whole requests and answers into its log, values among them.
        for name in ("boto3", "botocore"):
            logging.getLogger(name).setLevel(logging.INFO)
        options = self._options
        session = botocore.session.Session(profile=options.profile)
        session.register_component("data_loader", _loader())
        client = boto3.session.Session(botocore_session=session, region_name=options.region).client(
            self._service,
            endpoint_url=options.endpoint,
            verify=options.ca_file,
            config=Config(
                connect_timeout=options.timeout,
                read_timeout=options.timeout,
                max_pool_connections=options.pool_size,
                retries={"mode": "standard", "total_max_attempts": attempts},
                user_agent_extra="wardgate",
                proxies=_proxies(options.endpoint),
            ),
        )
        bound(client)
        client.meta.events.register("needs-retry", self._attempted)
        return client


@functools.cache
def _loader() -> Any:
    """What reads the descriptions of the services: most of a second for each, and so once for all mounts."""
    import botocore.loaders  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time

    return botocore.loaders.create_loader()


def _proxies(endpoint: str | None) -> dict[str, str] | None:
    """None, which is the environment's, but for what is to stay on its way: plain HTTP, and this machine."""
    if endpoint is None:
        return None
    url = urlsplit(endpoint)
    return {} if url.scheme == "http" or is_loopback(url.hostname or "") else None


def _is_the_store_s(answer: Mapping[str, Any]) -> bool:
    """Whether it carries the id that AWS gives each request, and that no other server's page has."""
    return bool(answer.get("ResponseMetadata", {}).get("RequestId"))


def _is_whole(answer: Any) -> bool:
    """Whether an answer has come to its end: the SDK takes one that was cut short for one that has no more to say."""
    if "chunked" in answer.headers.get("transfer-encoding", ""):
        return True  # its end is told, and waited for
    return bool(answer.headers.get("content-length") == str(len(answer.content)))
