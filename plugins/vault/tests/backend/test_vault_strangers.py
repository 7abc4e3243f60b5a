"""A mount whose address leads to something that is no Vault."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Unavailable

Opened = Callable[..., Backend]
CANARY = "canary-stranger-66"


@pytest.fixture(params=[(200, b"{}"), (404, f'{{"said": "{CANARY}"}}'.encode())], ids=["empty", "not-found"])
def stranger(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers everything alike."""
    status, body = request.param

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_is_no_vault_is_called_so(stranger: str, opened: Opened) -> None:
    """And which option to look at; it is not called sealed."""
    with pytest.raises(Unavailable, match="no Vault or OpenBao server; check 'address'") as refused:
        asyncio.run(opened(address=stranger, token="t").probe())
    assert CANARY not in str(refused.value)
