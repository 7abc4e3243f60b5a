"""Lists of names, one folder's (LIST) or all below it (SCAN), with what is known of each where that is asked for."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Sequence

from wardgate.spi.errors import Unavailable, WardgateError
from wardgate.spi.operations.base import MAX_ITEMS, Action
from wardgate.spi.operations.secrets import DescribeSecret, DescribeSecrets, ListSecrets, ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

from wardgate_vault.api import kv_bodies, kv_shapes
from wardgate_vault.api.envelope import Answer, encode, envelope
from wardgate_vault.api.errors import NOT_FOUND, refusing
from wardgate_vault.api.request import Request

MAX_NAMES = 100_000
"""Names in one answer; what has more is cut, and the answer warns of it."""
MAX_DETAILED = 10_000
"""Names in one answer that also says what is known of each."""
PAGE = 10_000
"""Names asked for at once; a store whose pages are smaller gives fewer."""
MAX_PAGES = 1_000
"""Pages asked for to make one answer, each with its audit record: some stores' are small, or hold nothing."""
WINDOW = ("after", "limit")
"""The parameters that cut a list."""
_CUT = "there are more names than one answer holds"


async def list_names(request: Request, path: Path, *, known: Sequence[str] = WINDOW) -> Answer:
    """The names directly below a folder, in Vault's order; parameters that are not ``known`` are ignored."""
    after, limit = _window(request, path, known)
    names, cut = await _listed(request, path, after, limit)
    warnings = _warnings(request, known, cut=cut)
    return envelope(request.id, encode({"keys": names}), warnings=warnings) if names else NOT_FOUND


async def list_detailed(request: Request, path: Path) -> Answer:
    """As ``list_names``, with the metadata of each secret that may be described."""
    after, limit = _window(request, path, WINDOW)
    names, cut = await _listed(request, path, after, min(limit or MAX_DETAILED + 1, MAX_DETAILED + 1))
    warnings = _warnings(request, WINDOW, cut=cut or len(names) > MAX_DETAILED)
    if not names:
        return NOT_FOUND
    return envelope(request.id, await _detailed(request, path, names[:MAX_DETAILED]), warnings=warnings)


async def scan_names(request: Request, path: Path, *, known: Sequence[str] = WINDOW) -> Answer:
    """The names of all secrets below a folder, each with its path from there. None is no error, as in Vault.

    Parameters that are ``known`` are read, and cut nothing: neither do they there.
    """
    _window(request, path, known)
    names, cut = await _scanned(request, path, MAX_NAMES)
    data = encode({"keys": names} if names else {})
    return envelope(request.id, data, warnings=_warnings(request, known, cut=cut))


async def scan_detailed(request: Request, path: Path) -> Answer:
    """As ``scan_names``, with the metadata of each secret that may be described."""
    _window(request, path, WINDOW)
    names, cut = await _scanned(request, path, MAX_DETAILED)
    data = await _detailed(request, path, names) if names else b"{}"
    return envelope(request.id, data, warnings=_warnings(request, WINDOW, cut=cut))


def _window(request: Request, path: Path, known: Sequence[str]) -> tuple[str, int]:
    with refusing(Action.LIST, path):
        return kv_bodies.window({name: text for name, text in request.parameters.items() if name in known})


def _warnings(request: Request, known: Sequence[str], *, cut: bool) -> tuple[str, ...]:
    ignored = kv_bodies.ignored(request.parameters, *known) if request.parameters else ()
    return (*ignored, _CUT) if cut else ignored


async def _listed(request: Request, path: Path, after: str, limit: int) -> tuple[list[str], bool]:
    """The names after one, at most ``limit`` (0: all), and whether there are more than could be looked through."""
    names: list[str] = []
    seen = 0
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await _page(request, ListSecrets(path=path, cursor=cursor, limit=PAGE))
        seen += len(page.entries)
        names += [name for name in _names(page.entries) if name > after] if after else _names(page.entries)
        cursor = page.cursor
        if cursor is None or seen >= MAX_NAMES or _enough(names, page.entries, limit):
            break
    cut = cursor is not None and (not limit or len(names) < limit)
    return heapq.nsmallest(limit, names) if limit else sorted(names), cut


def _enough(names: Sequence[str], entries: Sequence[Entry], limit: int) -> bool:
    """Whether no name to come is before the ones asked for: stores put ``a-b`` after the folder ``a``, Vault before."""
    if not limit or len(names) < limit or not entries:
        return False
    return heapq.nsmallest(limit, names)[-1] <= entries[-1].name


async def _scanned(request: Request, path: Path, most: int) -> tuple[list[str], bool]:
    names: list[str] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await _page(request, ScanSecrets(path=path, cursor=cursor))
        names += [entry.name for entry in page.entries]
        cursor = page.cursor
        if cursor is None or len(names) >= most:
            break
    return names[:most], cursor is not None or len(names) > most


async def _page(request: Request, operation: ListSecrets | ScanSecrets) -> Page:
    """One page. Each is quick, and there may be many: the request's deadline is for all of them together."""
    if time.monotonic() > request.arrival.deadline:
        raise Unavailable("the list could not be made in time; ask for a folder further below")
    return (await request.perform(operation)).result


def _names(entries: Sequence[Entry]) -> list[str]:
    return [f"{name}/" if folder else name for name, folder in entries]


async def _detailed(request: Request, path: Path, names: list[str]) -> bytes:
    """The names, and what is known of each secret among them; nothing of folders, and of what may not be described."""
    known: dict[str, object] = {name: {} for name in names}
    secrets = [name for name in names if not name.endswith("/")]
    for start in range(0, len(secrets), MAX_ITEMS):
        part = secrets[start : start + MAX_ITEMS]
        known.update(zip(part, await _described(request, path, part), strict=True))
    return encode({"key_info": known, "keys": names})


async def _described(request: Request, path: Path, names: Iterable[str]) -> list[object]:
    items = tuple(DescribeSecret(path=Path((*path.segments, *name.split("/")))) for name in names)
    found = (await request.perform(DescribeSecrets(items=items))).result
    return [{} if isinstance(one, WardgateError) else kv_shapes.secret(one) for one in found]
