"""What the tests of this plugin share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import google
from tests.servers.fixtures import BUILDS, or_skip

BUILDS["google_emulator"] = google.binary


@pytest.fixture(scope="session")
def google_emulator() -> Iterator[str]:
    """The address of a running Secret Manager, one for each test process."""
    or_skip(google.binary)
    with google.running() as address:
        yield address
