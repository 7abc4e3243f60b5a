"""A bounded pool of threads around hvac: one session, one token, and nothing taken from the environment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus

import requests
from hvac.adapters import RawAdapter
from hvac.api import SystemBackend
from hvac.api.secrets_engines import KvV2
from requests.adapters import HTTPAdapter
from wardgate.spi.errors import Unavailable
from wardgate.spi.services import Clock

from wardgate_vault.exchange import Answer, exchange
from wardgate_vault.login import Login
from wardgate_vault.options import Options

QUEUE = 256
"""Requests that may wait for a thread; more are refused at once rather than kept in memory."""
Call = Callable[..., requests.Response]


class Client:
    """Sends requests. ``kv`` and ``system`` hold hvac's calls, to be handed to :meth:`ask`."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._session = _session(options)
        adapter = _adapter(options, self._session, namespace=options.namespace)
        self._adapter = adapter
        self.kv = KvV2(adapter)
        # A server's health is asked of the server itself, not of a namespace.
        self.system = SystemBackend(_adapter(options, self._session, namespace=None))
        self._login = Login(options, adapter, clock)
        self._threads = ThreadPoolExecutor(options.pool_size, thread_name_prefix="wardgate-vault")
        self._room = threading.BoundedSemaphore(options.pool_size + QUEUE)

    async def ask(self, call: Call, *args: object, mutates: bool = False, **named: object) -> Answer:
        """Make one call with the gateway's token; the answer is good, or a 404 of something absent.

        Raises:
            WardgateError: everything else. A change whose answer was unclear: OutcomeUnknown.
        """
        answer = await self._in_thread(self._send, call, *args, mutates=mutates, **named)
        if answer.ok or answer.absent:
            return answer
        raise answer.error(mutates=mutates)

    async def get(self, path: str) -> Answer:
        """The answer, whatever its status, to a GET of ``/v1/<path>`` (percent-encoded) with the gateway's token."""
        return await self._in_thread(self._send, self._adapter.get, f"/v1/{path}")

    async def post(self, path: str, body: dict[str, object]) -> Answer:
        """Like :meth:`ask`, for a change that hvac's own call would send with more in it than was asked for."""
        return await self.ask(self._adapter.post, f"/v1/{path}", json=body, mutates=True)

    async def ask_openly(self, call: Call, **named: object) -> Answer:
        """Make one call without a token; the answer whatever its status."""
        return await self._in_thread(exchange, call, **named)

    async def close(self) -> None:
        """Give back threads and connections; requests under way end by themselves, within their timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()
        self._adapter.token = None

    def _send(self, call: Call, *args: object, mutates: bool = False, **named: object) -> Answer:
        token = self._login.ensure()
        answer = exchange(call, *args, mutates=mutates, **named)
        if answer.status == HTTPStatus.FORBIDDEN and self._login.replace(token):
            return exchange(call, *args, mutates=mutates, **named)
        return answer

    async def _in_thread(self, work: Callable[..., Answer], *args: object, **named: object) -> Answer:
        if not self._room.acquire(blocking=False):
            raise Unavailable("too many requests wait for this store; try again")
        try:
            future = self._threads.submit(work, *args, **named)
        except RuntimeError:
            self._room.release()
            raise Unavailable("this mount is closed") from None
        future.add_done_callback(self._make_room)
        return await asyncio.wrap_future(future)

    def _make_room(self, _: Future[Answer]) -> None:
        self._room.release()


def _session(options: Options) -> requests.Session:
    session = requests.Session()
    # Neither proxies, nor .netrc, nor CA bundles of the environment.
    session.trust_env = False
    session.verify = options.ca_file or True
    session.stream = True
    transport = HTTPAdapter(pool_connections=1, pool_maxsize=options.pool_size, max_retries=0, pool_block=True)
    session.mount("https://", transport)
    session.mount("http://", transport)
    return session


def _adapter(options: Options, session: requests.Session, *, namespace: str | None) -> RawAdapter:
    """The adapter itself: hvac's Client would read the environment and ``~/.vault-token``."""
    return RawAdapter(
        base_uri=options.address,
        token=None,
        verify=session.verify,
        timeout=options.timeout,
        # A redirect would carry the token to wherever it points.
        allow_redirects=False,
        session=session,
        namespace=namespace,
        ignore_exceptions=True,
    )
