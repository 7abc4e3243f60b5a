"""What hvac's calls are handed: an adapter that sends through one pool of urllib3's, each wait under a deadline.

hvac's own send through requests, which would take half of a read's time for what is not wanted here: redirects,
cookies, retries, unpacking, and whatever the environment says.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from urllib.parse import urlencode

import certifi
from hvac.adapters import RawAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationValueError
from urllib3.util import parse_url
from wardgate.spi.deadline import Bounded
from wardgate.spi.errors import InvalidValue

from wardgate_vault.options import Options


class _Plain(Bounded, HTTPConnection):
    """Without TLS."""


class _Tls(Bounded, HTTPSConnection):
    """With it."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class Adapter(RawAdapter):  # type: ignore[misc]  # hvac ships without types
    """Sends hvac's calls. Each answer comes unread, whatever its status; a redirect is an answer.

    Args:
        address: the server's URL, which may have a path.
    """

    def __init__(self, pool: HTTPConnectionPool, address: str, *, namespace: str | None) -> None:
        # hvac's own is not called: it would make a session of requests'.
        self._base = (parse_url(address).path or "").rstrip("/")
        self._pool = pool
        # What is unpacked knows no bound.
        self._headers = {"Accept-Encoding": "identity", "X-Vault-Request": "true"}
        if namespace:
            self._headers["X-Vault-Namespace"] = namespace
        self.token: str | None = None

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        raise_exception: bool = False,  # noqa: ARG002  # hvac says it: here no status is an exception
        wrap_ttl: None = None,  # noqa: ARG002  # and this, though nothing is asked for that could be wrapped
    ) -> BaseHTTPResponse:
        """Send one request. ``url``: below the address, percent-encoded. Raises what urllib3 does, and ValueError."""
        sent = dict(self._headers)
        if self.token:
            sent["X-Vault-Token"] = self.token
        body = None
        if json is not None:
            sent["Content-Type"] = "application/json"
            body = dumps(json, allow_nan=False).encode()
        sent.update(headers or {})
        query = f"?{urlencode(params)}" if params else ""
        return self._pool.urlopen(
            method.upper(),
            f"{self._base}/{url.strip('/')}{query}",
            body,
            sent,
            # It would carry the token to wherever it points.
            redirect=False,
            preload_content=False,
            decode_content=False,
        )


def connections(options: Options) -> HTTPConnectionPool:
    """The pool of one mount, in which nothing is tried twice.

    Raises:
        InvalidValue: the address names no host that a connection could be made to.
    """
    manager = PoolManager(
        timeout=options.timeout,
        maxsize=options.pool_size,
        block=True,
        retries=Retry(total=False),
        cert_reqs="CERT_REQUIRED",
        # Without a file OpenSSL would look for one, and ask the environment where.
        ca_certs=options.ca_file or certifi.where(),
    )
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
    try:
        return manager.connection_from_url(options.address)
    except LocationValueError:
        raise InvalidValue("option 'address' is not a URL with the name of a host") from None
