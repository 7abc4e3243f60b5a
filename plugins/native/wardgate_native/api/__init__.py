"""Wardgate's own REST API at ``/api/v1``: it translates, and holds no backend.

``table`` is the list of endpoints, one noun a file beside it; ``frontend`` answers a request by it.
"""

from __future__ import annotations

from wardgate.spi.frontend import Claims, Frontend, Gateway
from wardgate.spi.hookspecs import FrontendType

from wardgate_native.api.frontend import PREFIX, RestFrontend


def _open(_options: object, gateway: Gateway) -> Frontend:
    return RestFrontend(gateway)


FRONTEND = FrontendType(
    name="rest",
    help="Wardgate's REST API: secrets and administration, with RFC 9457 errors.",
    claims=Claims(path_prefixes=(PREFIX,)),
    open=_open,
)
