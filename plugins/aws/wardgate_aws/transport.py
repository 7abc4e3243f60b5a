"""The SDK's connections under a deadline. This module needs the SDK."""

from __future__ import annotations

from typing import Any

from botocore import awsrequest  # type: ignore[import-untyped]
from wardgate.spi.deadline import Bounded, current


class _Plain(Bounded, awsrequest.AWSHTTPConnection):  # type: ignore[misc]  # the SDK has no types
    """Without TLS."""


class _Tls(Bounded, awsrequest.AWSHTTPSConnection):  # type: ignore[misc]
    """With it."""


class _PlainPool(awsrequest.AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Plain


class _TlsPool(awsrequest.AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Tls


def bound(client: Any) -> None:
    """Put each wait of a client's requests under :func:`wardgate.spi.deadline.current`."""
    # The SDK has no door to this; its managers of connections, those to proxies too, share this one mapping.
    client._endpoint.http_session._pool_classes_by_scheme.update(http=_PlainPool, https=_TlsPool)  # noqa: SLF001
    client.meta.events.register("before-send", _in_time)


def _in_time(**_: object) -> None:
    """Called before each attempt: no other is made when the time is over. Raises TimeoutError."""
    if current().over:
        raise TimeoutError("the request's time is over")
