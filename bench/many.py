"""100,000 secrets in one namespace: a read must cost what it costs among 1,000, and a page of names stay quick."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path as FilePath

from wardgate.clock import SystemClock
from wardgate.crypto.seal import KeyFileSeal
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import JSON, Value
from wardgate.state import State
from wardgate_native.plugin import BACKEND

from bench import wrk
from bench.figures import Figure, median
from bench.peers import WORKERS
from tests.servers.gateway import Running, running

FEW = 1_000
MANY = 100_000
AT_ONCE = 500
SAMPLES = 2_000
VALUE = Value(b'{"username":"user","password":"0123456789abcdef"}', JSON)
STRIDE = 61
"""From one name that is read to the next where all are: not to the one beside it, which the store has at hand then."""


def measure(rounds: int = 5) -> list[Figure]:
    """Requests to two gateways, and reads of two stores themselves, in turns; nothing is remembered."""
    with tempfile.TemporaryDirectory(prefix="wardgate-") as name:
        store = asyncio.run(_measure(rounds, _state(FilePath(name) / "few"), _state(FilePath(name) / "many")))
    return [*_requests(rounds), *store]


def _requests(rounds: int, seconds: int = 2) -> list[Figure]:
    """Reads over HTTP, as many at once as the servers answer; of the many, as many names as of the few, then all."""
    with (
        running(plugins=("native", "vault"), workers=WORKERS) as few,
        running(plugins=("native", "vault"), workers=WORKERS) as many,
    ):
        _fill(few, FEW)
        _fill(many, MANY)
        seen: list[tuple[float, float]] = []
        for round_ in range(rounds + 1):
            small, spread, whole = (
                _rate(few, FEW, 1, seconds), _rate(many, MANY, MANY // FEW, seconds), _rate(many, MANY, STRIDE, seconds)
            )  # fmt: skip
            print(f"many, round {round_}: {small:8,.0f}/s; {spread:8,.0f}/s, all in turn {whole:8,.0f}/s", flush=True)
            seen.append((small / spread, small / whole))
    one, all_in_turn = (median(list(ratios)) for ratios in zip(*seen[1:], strict=True))
    return [
        Figure("a read among 100,000 over one among 1,000", one, 1.2, "x", most=True,
               beside=f"over HTTP, 1,000 names of each; {all_in_turn:.2f} x where all 100,000 are read in turn"),
    ]  # fmt: skip


def _rate(gateway: Running, size: int, stride: int, seconds: int) -> float:
    prefix = "/v1/secret/data/big/"
    run = wrk.read(gateway.address, prefix, gateway.token, names=size, seconds=seconds, stride=stride)
    assert not run.errors
    return run.rate


def _fill(gateway: Running, size: int) -> None:
    assert gateway.call("PATCH", "/api/v1/mounts/secret", {"cache_ttl_seconds": 0}).status == 200
    data = json.loads(VALUE.data)
    for begun in range(0, size, FEW):
        items = [{"path": f"secret/big/{number}", "json": data} for number in range(begun, begun + FEW)]
        answer = gateway.call("POST", "/api/v1/batch/write", {"items": items})
        assert answer.status == 200, answer.body


async def _measure(rounds: int, *states: State) -> list[Figure]:
    few, many = await _store(states[0], FEW), await _store(states[1], MANY)
    ratios, reads = [], []
    for _ in range(rounds + 1):
        small, large = await _reads(few, FEW), await _reads(many, MANY)
        ratios.append(large / small)
        reads.append(large)
    pages = []
    for _ in range(rounds):
        begun = time.perf_counter()
        page = await many.list(Path(("big",)), limit=1_000)
        pages.append(time.perf_counter() - begun)
        assert len(page.entries) == 1_000
    for state in states:
        await state.close()
    grown, page_ms = median(ratios[1:]), median(pages) * 1e3
    print(f"many: a read among {MANY:,} costs {grown:.2f} x one among {FEW:,}; a page {page_ms:.1f} ms")
    return [
        Figure("the same in the store itself, CPU", grown, None, "x", most=True,
               beside=f"{median(reads[1:]) * 1e6:.0f} us"),
        Figure("a page of 1,000 names among 100,000", page_ms, 50.0, "ms", most=True),
    ]  # fmt: skip


def _state(folder: FilePath) -> State:
    folder.mkdir()
    seal = KeyFileSeal.create(folder / "key")
    asyncio.run(State.create(folder / "data", seal, SystemClock()).close())
    return State.open(folder / "data", seal, SystemClock(), LocalEpochs())


async def _store(state: State, secrets: int) -> Backend:
    services = Services(SystemClock(), state.keyring("root").scoped("m"), state.database("root"), "root", "m")
    store = BACKEND.open(BACKEND.options(), services)
    for begun in range(0, secrets, AT_ONCE):
        await asyncio.gather(*(store.write(_path(number), VALUE) for number in range(begun, begun + AT_ONCE)))
    return store


async def _reads(store: Backend, secrets: int) -> float:
    """Seconds of CPU for one read."""
    step = max(1, secrets // SAMPLES)
    asked = [_path(number * step % secrets) for number in range(SAMPLES)]
    begun = time.thread_time()
    for path in asked:
        await store.read(path)
    return (time.thread_time() - begun) / len(asked)


def _path(number: int) -> Path:
    return Path(("big", f"secret-{number}"))
