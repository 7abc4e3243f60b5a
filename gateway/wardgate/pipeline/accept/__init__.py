"""The accept layer: ASGI middleware before every front-end; sizes, rates, the deadline and the request's id."""

from wardgate.pipeline.accept.layer import PEER_CERTIFICATE, Accept

__all__ = ["PEER_CERTIFICATE", "Accept"]
