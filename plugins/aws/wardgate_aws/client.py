"""The SDK behind one door: its calls run in threads, and fail with errors of the closed list alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardgate.spi.threads import Threads

if TYPE_CHECKING:
    from wardgate.spi.errors import WardgateError

    from wardgate_aws.options import Options

ATTEMPTS = 3
"""How often the SDK itself tries a request that can be repeated without harm."""


class Client:
    """One service of one region. The SDK is loaded and its client built by the first call, in a thread."""

    def __init__(self, options: Options, service: str) -> None:
        self._options = options
        self._service = service
        self._threads = Threads(f"aws-{service}", options.pool_size)
        self._lock = threading.Lock()
        self._clients: dict[bool, Any] = {}

    async def call(
        self, method: str, *, mutates: bool = False, idempotent: bool = False, **params: object
    ) -> dict[str, Any]:
        """Make one request, such as ``get_secret_value``, and return the answer as the SDK gives it.

        Args:
            method: the SDK's name of the request.
            mutates: whether it changes something; an unclear answer is then OutcomeUnknown, else Unavailable.
            idempotent: of one that mutates: whether a second one does no harm. Others are sent once.
            params: the request's parameters, as the SDK calls them.
        """
        repeat = idempotent or not mutates
        answer = await self._threads.run(self._call, method, params, mutates=mutates, repeat=repeat)
        if isinstance(answer, dict):
            return answer
        raise answer

    async def close(self) -> None:
        """Give back threads and connections."""
        self._threads.close()
        for client in self._clients.values():
            client.close()

    def _call(
        self, method: str, params: Mapping[str, object], *, mutates: bool, repeat: bool
    ) -> dict[str, Any] | WardgateError:
        """The answer or the error, given back and not raised: an error raised here would carry the answer along."""
        import botocore.exceptions  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time

        from wardgate_aws import errors  # noqa: PLC0415  # it needs the SDK

        try:
            answer = getattr(self._client(repeat=repeat), method)(**params)
        except botocore.exceptions.ClientError as error:
            told = error.response.get("Error", {})
            meta = error.response.get("ResponseMetadata", {})
            return errors.of_answer(
                # A namespace can stand before the code.
                str(told.get("Code", "")).rpartition("#")[2],
                str(told.get("Message", "")),
                int(meta.get("HTTPStatusCode", 0)),
                mutates=mutates,
                retry_after=_seconds(meta.get("HTTPHeaders", {}).get("retry-after")),
            )
        except Exception as error:  # noqa: BLE001  # whatever the SDK lets through is the store's failure
            return errors.of_exception(error, mutates=mutates)
        return dict(answer)

    def _client(self, *, repeat: bool) -> Any:
        with self._lock:
            if repeat not in self._clients:
                self._clients[repeat] = self._build(attempts=ATTEMPTS if repeat else 1)
            return self._clients[repeat]

    def _build(self, *, attempts: int) -> Any:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415  # start-up time

        # Told to be detailed, the SDK writes whole requests and answers into its log, values among them.
        for name in ("boto3", "botocore"):
            logging.getLogger(name).setLevel(logging.INFO)
        options = self._options
        return boto3.session.Session(profile_name=options.profile, region_name=options.region).client(
            self._service,
            endpoint_url=options.endpoint,
            verify=options.ca_file,
            config=Config(
                connect_timeout=options.timeout,
                read_timeout=options.timeout,
                max_pool_connections=options.pool_size,
                retries={"mode": "standard", "total_max_attempts": attempts},
                user_agent_extra="wardgate",
            ),
        )


def _seconds(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None
