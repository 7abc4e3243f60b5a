"""What the tests of the AWS stores share: one emulator."""

from __future__ import annotations

from tests.servers.moto import moto

__all__ = ["moto"]
