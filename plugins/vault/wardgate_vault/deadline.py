"""Connections of requests and urllib3 whose every wait stands under a deadline."""

from __future__ import annotations

from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from wardgate.spi.deadline import Bounded


class _Plain(Bounded, HTTPConnection):
    """Without TLS."""


class _Tls(Bounded, HTTPSConnection):
    """With it."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class Transport(HTTPAdapter):
    """Connections whose every wait stands under :func:`wardgate.spi.deadline.current`."""

    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        """Make the pools of such connections."""
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
