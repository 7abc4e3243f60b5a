"""The SDK's client of one vault: made on the loop that first uses it, with one way of failing."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from wardgate.spi.errors import RateLimited, Unavailable, WardgateError

from wardgate_azure import errors
from wardgate_azure.login import Login
from wardgate_azure.options import Options

T = TypeVar("T")
Call = Callable[[Any], Awaitable[T]]
API_VERSION = "7.6"
PATIENCE = 3
"""How many timeouts one call may take in all: a challenge, a token, an answer."""
SETTLING_TRIES, SETTLING_SECONDS = 20, 0.25
PAGE = 25
"""The most names that a vault lists at once."""


class Client:
    """One vault. ``credential``: an asynchronous one of azure-identity's shape, else what the options say."""

    def __init__(self, options: Options, credential: Any = None) -> None:
        self._options = options
        self._given = credential
        self._opened: tuple[Any, Login] | None = None
        self._closed = False
        # They take a second to import: not when a caller waits, and not in a gateway without such a mount.
        for module in ("azure.identity.aio", "azure.keyvault.secrets.aio", "wardgate_azure.answers"):
            importlib.import_module(module)

    async def ask(self, call: Call[T], *, mutates: bool = False, long: bool = False) -> T:
        """The result of one call of the SDK's client.

        A change is sent once; reads are repeated as :class:`.retries.Retries` says. ``long``: the call pages through
        the store, and only its parts are bounded in time.

        Raises:
            WardgateError: what the table makes of the failure; nothing of the SDK's hangs on it.
        """
        if self._closed:
            raise Unavailable("the store's mount was closed")
        sdk = self._sdk()
        try:
            async with asyncio.timeout(None if long else self._options.timeout * PATIENCE):
                return await call(sdk)
        except Exception as problem:  # noqa: BLE001  # whatever a foreign library raises, a caller sees the closed list
            failure = errors.of(problem, mutates=mutates)
        raise failure

    async def change(self, call: Call[T]) -> T:
        """The result of a call that changes the store."""
        return await self.ask(call, mutates=True)

    async def send(self, method: str, place: str, body: object = None) -> None:
        """Send a change as it is: the SDK's own methods wait for its end, and refuse what they think is wrong."""

        async def sent(sdk: Any) -> None:
            from azure.core.rest import HttpRequest  # noqa: PLC0415  # slow to import

            response = await sdk.send_request(HttpRequest(method, place, json=body), retry_total=0)
            response.raise_for_status()

        await self.change(sent)

    async def settle(self, done: Callable[[], Awaitable[bool]]) -> bool:
        """Wait, for a few seconds, until the vault has done what it accepted; whether it was seen to be done."""
        for _ in range(SETTLING_TRIES):
            try:
                if await done():
                    return True
            except RateLimited:  # it says nothing of what is asked for, and passes
                pass
            except WardgateError:  # what was accepted stays accepted, whatever becomes of asking
                return False
            await asyncio.sleep(SETTLING_SECONDS)
        return False

    async def close(self) -> None:
        """Give back the connections."""
        self._closed = True
        opened, self._opened = self._opened, None
        if opened is not None:
            sdk, login = opened
            await sdk.close()
            await login.close()

    def _sdk(self) -> Any:
        if self._opened is None:
            login = Login(self._options, self._given)
            self._opened = (_client(self._options, login), login)
        return self._opened[0]


def _proxy(url: str) -> str | None:
    """The environment's for https, unless the host is one of those to be asked directly."""
    return None if proxy_bypass(urlsplit(url).hostname or "") else getproxies().get("https")


def _client(options: Options, login: Any) -> Any:
    import aiohttp  # noqa: PLC0415  # slow to import, as are these
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415
    from azure.keyvault.secrets.aio import SecretClient  # noqa: PLC0415

    from wardgate_azure.answers import Answer, check  # noqa: PLC0415
    from wardgate_azure.retries import Retries  # noqa: PLC0415

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=options.pool_size, ssl=ssl.create_default_context(cafile=options.ca_file)),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=Answer,
        # As the vault sends it: what was packed can be a thousand times as large.
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        # With it the vault would be sent whatever ~/.netrc has for its host.
        trust_env=False,
        proxy=_proxy(options.vault_url),
    )
    # By itself it sends a PUT or a DELETE again whose connection broke, and the first may have been done.
    session._retry_connection = False  # noqa: SLF001  # there is no other way to say so
    return SecretClient(
        options.vault_url,
        login,
        api_version=API_VERSION,
        verify_challenge_resource=options.verify_challenge_resource,
        # A transport of one's own takes its timeouts itself: those of the client would not reach it.
        transport=AioHttpTransport(session=session, connection_timeout=options.timeout, read_timeout=options.timeout),
        retry_policy=Retries(retry_total=options.retries),
        raw_response_hook=check,
        permit_redirects=False,  # a value goes nowhere but to the vault
    )
