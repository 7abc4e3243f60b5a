"""A proxy that holds every answer back: a server on this machine is then as far away as a cloud.

``python -m bench.delay PORT MILLISECONDS`` listens on a free port of this machine, prints it, and runs
until it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from typing import cast

import uvloop


class _Side(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the other end, ``seconds`` later, in its order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._held: deque[bytes] = deque()
        self._own: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._own = cast("asyncio.Transport", transport)
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._pass, data)
        else:
            self._pass(data)

    def connection_lost(self, _: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._end)

    def send(self, data: bytes) -> None:
        """Write, now or as soon as there is a connection."""
        self._held.append(data)
        self._flush()

    def close(self) -> None:
        """End this side too."""
        if self._own is not None:
            self._own.close()

    def _pass(self, data: bytes) -> None:
        if self.other is not None:
            self.other.send(data)

    def _end(self) -> None:
        if self.other is not None:
            self.other.close()

    def _flush(self) -> None:
        while self._own is not None and self._held:
            self._own.write(self._held.popleft())


async def _serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()

    def accepted() -> _Side:
        near, far = _Side(0.0), _Side(seconds)
        near.other, far.other = far, near
        connecting = asyncio.ensure_future(loop.create_connection(lambda: far, "127.0.0.1", port))
        connecting.add_done_callback(lambda done: near.close() if done.exception() else None)
        return near

    server = await loop.create_server(accepted, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def delayed(port: int, milliseconds: float) -> Iterator[int]:
    """The port of such a proxy before the server at ``port``, until the end of the block."""
    command = [sys.executable, "-m", "bench.delay", str(port), str(milliseconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1_000))
