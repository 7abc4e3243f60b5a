"""hvac in threads of the mount's own: one pool of connections, one token, and nothing taken from the environment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from hvac.api import SystemBackend
from hvac.api.secrets_engines import KvV1, KvV2
from wardgate.spi.deadline import Deadline, Deadlines, within
from wardgate.spi.errors import Unavailable, unclear
from wardgate.spi.services import Clock
from wardgate.spi.threads import Threads

from wardgate_vault.adapter import Adapter, connections
from wardgate_vault.exchange import ANSWER, LIST, Answer, Call, exchange
from wardgate_vault.login import Login
from wardgate_vault.options import Options

TIMES_IN_ALL = 3
"""How many times its timeout a request may take in all, with its wait for a thread and a login on the way."""
T = TypeVar("T")


class Client:
    """Sends requests. ``kv``, ``kv_v1`` and ``system`` hold hvac's calls, to be handed to :meth:`ask`."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._pool = connections(options)
        self._deadlines = Deadlines(clock, timeout=options.timeout, total=options.timeout * TIMES_IN_ALL)
        adapter = Adapter(self._pool, options.address, namespace=options.namespace)
        self._adapter = adapter
        self.kv = KvV2(adapter)
        self.kv_v1 = KvV1(adapter)
        # A server's health is asked of the server itself, not of a namespace.
        self.system = SystemBackend(Adapter(self._pool, options.address, namespace=None))
        self._login = Login(options, adapter, clock, self._deadlines.apart)
        self._threads = Threads("wardgate-vault", options.pool_size)

    async def ask(
        self, call: Call, *args: object, mutates: bool = False, long: bool = False, **named: object
    ) -> Answer:
        """Make one call with the gateway's token; the answer is good, or a 404 of something absent. ``long``: a list.

        Raises:
            WardgateError: everything else. A change whose answer was unclear: OutcomeUnknown.
        """
        answer = await self.work(self._send, call, *args, mutates=mutates, long=long, **named)
        if answer.ok and mutates and not answer.acknowledges:
            raise unclear("the store's answer could not be understood", mutates=True)
        if answer.ok or answer.absent:
            return answer
        raise answer.error(mutates=mutates)

    async def get(self, path: str) -> Answer:
        """The answer, whatever its status, to a GET of ``/v1/<path>`` (percent-encoded) with the gateway's token."""
        return await self.work(self._send, self._adapter.get, f"/v1/{path}")

    async def inquire(self, path: str, body: dict[str, object]) -> Answer:
        """The answer, whatever its status, to a POST that changes nothing."""
        return await self.work(self._send, self._adapter.post, f"/v1/{path}", json=body)

    async def post(self, path: str, body: dict[str, object]) -> Answer:
        """Like :meth:`ask`, for a change that hvac's own call would send with more in it than was asked for."""
        return await self.ask(self._adapter.post, f"/v1/{path}", json=body, mutates=True)

    async def patch(self, path: str, body: dict[str, object]) -> Answer:
        """Like :meth:`post`, for a JSON merge patch (RFC 7396)."""
        kind = {"Content-Type": "application/merge-patch+json"}
        return await self.ask(self._adapter.request, "patch", f"/v1/{path}", json=body, headers=kind, mutates=True)

    async def ask_openly(self, call: Call, **named: object) -> Answer:
        """Make one call without a token; the answer whatever its status."""
        return await self.work(exchange, call, **named)

    async def close(self) -> None:
        """Give back threads and connections; requests under way, or waiting, end now."""
        self._threads.close()
        self._deadlines.cut()
        self._pool.close()
        self._adapter.token = None

    async def work(self, work: Callable[..., T], *args: object, **named: object) -> T:
        """Run ``work`` in one of the mount's own threads: the loop, which serves others too, waits for nothing."""
        with self._deadlines.one() as deadline:
            return await self._threads.run(_under, deadline, partial(work, *args, **named))

    def _send(self, call: Call, *args: object, mutates: bool = False, long: bool = False, **named: object) -> Answer:
        token = self._login.ensure()
        bounds = LIST if long else ANSWER
        answer = exchange(call, *args, mutates=mutates, bounds=bounds, **named)
        if answer.status == HTTPStatus.FORBIDDEN and self._login.replace(token):
            return exchange(call, *args, mutates=mutates, bounds=bounds, **named)
        return answer


def _under(deadline: Deadline, work: Callable[[], T]) -> T:
    if deadline.over:
        raise Unavailable("the request waited too long for this store; try again")
    with within(deadline):
        return work()
