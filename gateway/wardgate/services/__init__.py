"""What the gateway itself offers, at ``sys/`` and ``auth/``: a file a noun, dispatched like a backend."""

from wardgate.services.build import build
from wardgate.services.service import Handlers

__all__ = ["Handlers", "build"]
