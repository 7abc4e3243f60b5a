"""What the gateway adds to stores of other vendors: reads with nothing remembered, and lists of 10,000 names.

Each is measured against the vendor's own SDK, which asks the same server in the same run, the two in turns. A server of
this machine can answer in a millisecond, which no cloud does; the ratio is measured with its answers held back by 5 ms
where the server itself takes less (``BENCH_DELAY_MS`` says otherwise). What the gateway adds without that, to one
caller, is told in milliseconds.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import hvac

from bench.delay import delayed
from bench.figures import Figure, median
from bench.names import NAMES, READ
from bench.stores import CALLERS, Store
from bench.stores import running as stores_running
from tests.servers.gateway import Running, running

PLUGINS = ("native", "vault", "aws", "azure", "gcp")
READS = 16
"""Of each of the callers in a round."""
READS_ALONE = 40
"""Of a caller that is alone, in a round."""
GOAL = 1.3
SLOW_MS = 5.0
"""The goal for reads is for servers that take this long themselves."""
HELD_BACK_MS = float(os.environ.get("BENCH_DELAY_MS", SLOW_MS))
"""How long the answers of faster ones are held back; 0: not at all."""
LIST_PAGE = 10_000
"""Names in a page of the gateway's: all of them, as the SDKs ask for the longest pages too."""
LIST_SECONDS = 120

Read = Callable[[], object]


class _Sides(NamedTuple):
    """Times of the same work in ms: the SDK's and the gateway's."""

    sdk: float
    gateway: float

    @property
    def ratio(self) -> float:
        return self.gateway / self.sdk


def measure(rounds: int = 3) -> list[Figure]:
    """Medians of the rounds' medians; the first round is not counted."""
    figures: dict[str, list[Figure]] = {"read": [], "list": []}
    with stores_running() as stores, running(plugins=PLUGINS, workers=2) as gateway:
        for store in stores:
            figures["read"].append(_reads(store, gateway, rounds))
            figures["list"].append(_lists(store, gateway, rounds))
    return figures["read"] + figures["list"]


def _reads(store: Store, gateway: Running, rounds: int) -> Figure:
    held_back = 0.0 if store.slow else HELD_BACK_MS
    alone = _read_in_turns(store, gateway, f"{store.kind}-near", store.port, rounds, callers=1, reads=READS_ALONE)
    with delayed(store.port, held_back) if held_back else contextlib.nullcontext(store.port) as port:
        crowd = _read_in_turns(store, gateway, store.kind, port, rounds, callers=CALLERS, reads=READS)
    _told(f"{store.name}: reads alone", alone)
    _told(f"{store.name}: reads of {CALLERS} callers, answers held back {held_back:.0f} ms", crowd)
    return Figure(
        f"a read of {store.name}, nothing remembered, over its SDK's",
        crowd.ratio, GOAL if store.slow or held_back >= SLOW_MS else None, "x", most=True,
        beside=f"{crowd.gateway:.1f} ms over {crowd.sdk:.1f} ms, {CALLERS} callers"
        + (f", answers held back {held_back:.0f} ms" if held_back else "")
        + f"; alone {alone.gateway:.2f} over {alone.sdk:.2f} ms: {alone.gateway - alone.sdk:.2f} ms is the gateway's",
    )  # fmt: skip


def _lists(store: Store, gateway: Running, rounds: int) -> Figure:
    prefix = f"{store.kind}-near"
    sdk = store.sdk(store.port)
    client = hvac.Client(gateway.address, gateway.token, timeout=LIST_SECONDS)
    by = {
        "hvac": lambda: len(client.secrets.kv.v2.list_secrets("", mount_point=prefix)["data"]["keys"]),
        "REST pages": lambda: _pages(gateway, prefix),
    }
    seen = _medians(rounds, {"sdk": lambda: _listed(sdk.names)} | {name: _timed(count) for name, count in by.items()})
    for name in by:
        _told(f"{store.name}: a list of {len(NAMES):,}, {name}", _Sides(seen["sdk"], seen[name]))
    slower = max(by, key=lambda name: seen[name])
    sides = _Sides(seen["sdk"], seen[slower])
    return Figure(
        f"a list of {len(NAMES):,} names of {store.name}, over its SDK's", sides.ratio, GOAL, "x", most=True,
        beside=", ".join(f"{name} {seen[name]:,.0f} ms" for name in by) + f"; SDK {seen['sdk']:,.0f} ms",
    )  # fmt: skip


def _mount(gateway: Running, store: Store, prefix: str, port: int) -> None:
    asked = {"prefix": prefix, "type": store.kind, "options": store.options(port), "presentation": {"vault.kv": "2"}}
    answer = gateway.call("POST", "/api/v1/mounts", asked)
    assert answer.status == 201, answer.body
    answer = gateway.call("PATCH", f"/api/v1/mounts/{prefix}", {"cache_ttl_seconds": 0})
    assert answer.status == 200, answer.body


def _read_in_turns(
    store: Store, gateway: Running, prefix: str, port: int, rounds: int, *, callers: int, reads: int
) -> _Sides:
    """Reads of the server at ``port``: the SDK's, and those through a mount that is made here."""
    _mount(gateway, store, prefix, port)
    sdk = store.sdk(port)
    return _Sides(
        **_medians(
            rounds,
            {
                "sdk": lambda: _read(lambda: sdk.read, callers, reads),
                "gateway": lambda: _read(lambda: _of_gateway(gateway, prefix), callers, reads),
            },
        )
    )


def _medians(rounds: int, sides: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Each side's median over the rounds, in which the sides take turns."""
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, side in sides.items():
            seen[name].append(side())
    return {name: median(times[1:]) for name, times in seen.items()}


def _read(connect: Callable[[], Read], callers: int, reads: int) -> float:
    """The median of all reads of all callers, in ms; each caller reads with what ``connect`` gives it."""

    def one(_: int) -> Iterable[float]:
        read, taken = connect(), []
        for _ in range(reads):
            began = time.perf_counter()
            read()
            taken.append((time.perf_counter() - began) * 1_000)
        return taken

    with ThreadPoolExecutor(callers) as pool:
        return median([taken for all_taken in pool.map(one, range(callers)) for taken in all_taken])


def _of_gateway(gateway: Running, prefix: str) -> Read:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)

    def read() -> None:
        connection.request("GET", f"/api/v1/secrets/{prefix}/{READ}", headers={"X-Vault-Token": gateway.token})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body

    return read


def _timed(count: Callable[[], int]) -> Callable[[], float]:
    return lambda: _listed(count)


def _listed(count: Callable[[], int]) -> float:
    """How long a whole list takes, in ms."""
    began = time.perf_counter()
    counted = count()
    taken = (time.perf_counter() - began) * 1_000
    assert counted == len(NAMES), counted
    return taken


def _pages(gateway: Running, prefix: str) -> int:
    """All pages of the REST API's list, on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
    seen, cursor = 0, ""
    with contextlib.closing(connection):
        while True:
            target = f"/api/v1/folders/{prefix}?limit={LIST_PAGE}" + (f"&cursor={cursor}" if cursor else "")
            connection.request("GET", target, headers={"X-Vault-Token": gateway.token})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            page = json.loads(body)
            seen += len(page["entries"])
            cursor = page["cursor"]
            if not cursor:
                return seen


def _told(what: str, sides: _Sides) -> None:
    print(f"{what}: SDK {sides.sdk:,.2f} ms, gateway {sides.gateway:,.2f} ms: {sides.ratio:.2f} x", flush=True)
