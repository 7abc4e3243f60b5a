"""``wardgate doctor``: looks at an installation from this machine, and says what to do about what is wrong."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wardgate.cli import exits, output
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable
from wardgate.spi.errors import WardgateError

if TYPE_CHECKING:
    from wardgate.config import Config
    from wardgate.state import State

_PATIENCE = 5.0
_MOST = 4_096
_SOON = 7 * 86_400 * 1_000_000_000
"""Nanoseconds before an end that are worth a warning."""
_TOLD = 5
"""Changed rows of a namespace that are told one by one."""


@dataclass(frozen=True)
class Finding:
    """What one check found; ``cure`` says what to do when it is not ``ok``, or will not be for long."""

    check: str
    ok: bool
    detail: str
    cure: str = ""


@click.command()
@click.option(
    "--config", "file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file `serve` reads."
)
@json_option
@click.pass_context
def doctor(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Check all that `serve` needs, and ask a gateway that runs. Ends in 1 when one check fails."""
    findings = examine(file)
    if as_json:
        output.as_json({"ok": all(found.ok for found in findings), "checks": [asdict(found) for found in findings]})
    else:
        for found in findings:
            word = "FAIL" if not found.ok else "warn" if found.cure else "ok  "
            click.echo(printable(f"{word}  {found.check}: {found.detail}"))
            if found.cure:
                click.echo(printable(f"      {found.cure}"))
    ctx.exit(exits.OK if all(found.ok for found in findings) else exits.FAILURE)


def examine(file: Path) -> list[Finding]:
    """All checks in order; without a configuration there is nothing more to look at."""
    from wardgate.config import load  # noqa: PLC0415  # --help does without

    try:
        config = load(file)
    except WardgateError as error:
        return [Finding("configuration", ok=False, detail=error.message)]
    # What the state logs is a finding here, and would be told twice; a library's words could hold what it works on.
    logging.getLogger().addHandler(logging.NullHandler())
    checks: tuple[tuple[str, Callable[[Config], Finding | list[Finding]]], ...] = (
        ("plugins", _plugins), ("data folder", _data), ("key file", _key_file), ("state", _state),
        ("audit", _audit), ("tls", _tls), ("port", _port), ("readiness", _readiness),
    )  # fmt: skip
    findings = [Finding("configuration", ok=True, detail=f"{file} can be used")]
    for name, check in checks:
        try:
            found = check(config)
            findings += found if isinstance(found, list) else [found]
        except WardgateError as error:
            findings.append(Finding(name, ok=False, detail=error.message))
        except Exception as error:  # noqa: BLE001  # a check that breaks is a finding, not the end of the others
            findings.append(Finding(name, ok=False, detail=f"the check broke: {type(error).__name__}"))
        if name == "state" and "state" in {found.check for found in findings if found.ok}:
            findings += _stores(config)
    return findings


def _stores(config: Config) -> list[Finding]:
    """One finding for each mount; none where the plugins cannot be loaded, which another check tells."""
    import asyncio  # noqa: PLC0415  # each check loads what it needs

    from wardgate.cli import stores  # noqa: PLC0415

    try:
        seen = asyncio.run(stores.examine(config))
    except WardgateError:
        return []
    return [Finding(one.name, ok=one.ok, detail=one.detail, cure=one.cure) for one in seen]


def _plugins(config: Config) -> Finding:
    from wardgate.registry import Registry  # noqa: PLC0415  # each check loads what it needs

    registry = Registry.load(config.plugins)
    registry.options(config.type_options)
    return Finding("plugins", ok=True, detail=", ".join(registry.plugins))


def _data(config: Config) -> Finding:
    try:
        mode = config.data.stat()
    except OSError as error:
        cure = f"wardgate init --data {config.data} --key-file {config.key_file}"
        if config.was_made:
            cure = f"wardgate backup restore FILE --to {config.data} --key-file {config.key_file}"
        return Finding("data folder", ok=False, detail=f"{config.data}: {error.strerror}", cure=cure)
    if mode.st_uid != os.geteuid():
        cure = f"run as its owner, or: chown -R {os.geteuid()} {config.data}"
        return Finding("data folder", ok=False, detail=f"{config.data} belongs to another user", cure=cure)
    if stat.S_IMODE(mode.st_mode) & 0o077:
        cure = f"chmod 700 {config.data}"
        return Finding("data folder", ok=False, detail=f"others can look into {config.data}", cure=cure)
    return Finding("data folder", ok=True, detail=f"{config.data} is this user's alone")


def _key_file(config: Config) -> Finding:
    from wardgate.crypto.seal import KeyFileSeal  # noqa: PLC0415

    KeyFileSeal.load(config.key_file)
    return Finding("key file", ok=True, detail=f"{config.key_file} can be read, by this user alone")


def _state(config: Config) -> list[Finding]:
    """Whether it opens; and one finding more for each namespace in which something was changed by other hands."""
    import asyncio  # noqa: PLC0415

    from wardgate.cli import founding  # noqa: PLC0415
    from wardgate.state.namespaces import ROOT_NAMESPACE  # noqa: PLC0415

    async def looked() -> tuple[int, Finding, dict[str, list[str]]]:
        state = founding.reopen(config.data, config.key_file)
        try:
            return len(state.mounts.of(ROOT_NAMESPACE)), _administrators(state), _forged(state)
        finally:
            await state.close()

    mounted, administrators, wrong = asyncio.run(looked())
    cure = f"find out who can write {config.data}; then stop the gateway, and restore a backup of before that"
    return [Finding("state", ok=True, detail=f"it opens; the root namespace has {mounted} mounts"), administrators] + [
        Finding(f"state of namespace {namespace}", ok=False, detail=_shortened(whats), cure=cure)
        for namespace, whats in sorted(wrong.items())
    ]


def _forged(state: State) -> dict[str, list[str]]:
    """What was changed, by the path of its namespace, or the id of one that is not there.

    Mounts are told elsewhere, by their place; here only where one has none any more that could be shown.
    """
    from wardgate.state.mounts import TAMPERED  # noqa: PLC0415
    from wardgate.state.namespaces import ROOT_NAMESPACE  # noqa: PLC0415
    from wardgate.state.tables import mounts  # noqa: PLC0415

    paths = {one: str(state.namespaces.info(one).path) or ROOT_NAMESPACE for one in state.namespaces.ids()}
    found = list(state.forged())
    rows = Counter(one.namespace for one in found if one.table == mounts.name)
    shown = {one for one in rows if one in paths and rows[one] == _refused(state, one, TAMPERED)}
    wrong: dict[str, list[str]] = {}
    for one in found:
        if one.table != mounts.name or one.namespace not in shown:
            wrong.setdefault(paths.get(one.namespace, one.namespace), []).append(one.what)
    return wrong


def _refused(state: State, namespace: str, fault: str) -> int:
    return sum(row.fault == fault for row in state.mounts.of(namespace))


def _administrators(state: State) -> Finding:
    """How long the root namespace's administrators still have a key. There may be other ways in, so it never fails."""
    from wardgate.clock import SystemClock  # noqa: PLC0415
    from wardgate.spi.operations.policies import ADMINISTRATOR  # noqa: PLC0415
    from wardgate.state.namespaces import ROOT_NAMESPACE  # noqa: PLC0415

    known = [info.principal for info in state.principals.keys(ROOT_NAMESPACE)]
    ends = [one.expires_at for one in known if ADMINISTRATOR in one.policies]
    detail, cure = "a key of the root namespace that lasts carries administrator", ""
    if not ends:
        detail = "no key of the root namespace carries administrator, or all have run out"
        cure = "unless there is another way in: `wardgate key recover`"
    elif None not in ends and (last := max(filter(None, ends))) - SystemClock().now() < _SOON:
        detail = f"the root namespace's last administrator's key ends at {_moment(last)}"
        cure = "make one that lasts: `wardgate key create NAME --policy administrator`"
    return Finding("administrators", ok=True, detail=detail, cure=cure)


def _moment(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def _shortened(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - _TOLD} more" if len(sentences) > _TOLD else ""
    return "; ".join(sentences[:_TOLD]) + more


def _audit(config: Config) -> Finding:
    from wardgate.pipeline.audit.verify import verify  # noqa: PLC0415

    folder = config.audit.folder
    if not folder.exists():
        return Finding("audit", ok=True, detail=f"{folder} is made at the first start")
    report = verify(folder)
    detail = " ".join(report.sentences()) if report.shards else "nothing is recorded yet"
    cure = "keep the files as they are: they are evidence; `wardgate audit verify` tells more"
    return Finding("audit", ok=report.ok, detail=detail, cure="" if report.ok else cure)


def _tls(config: Config) -> Finding:
    if config.tls is None:
        return Finding("tls", ok=True, detail="none is set; it listens on this machine only")
    from wardgate.server import tls  # noqa: PLC0415

    tls.context(config.tls)
    return Finding("tls", ok=True, detail="certificate and key fit")


def _port(config: Config) -> Finding:
    from wardgate.server.listener import Stop, listen  # noqa: PLC0415

    host, port = config.listen
    if serving(config):
        return Finding("port", ok=True, detail=f"the gateway runs, on {host}:{port} if its configuration is unchanged")
    try:
        listen(config).close()
    except Stop as stop:
        return Finding("port", ok=False, detail=str(stop))
    return Finding("port", ok=True, detail=f"{host}:{port} is free")


def _readiness(config: Config) -> Finding:
    from http import HTTPStatus  # noqa: PLC0415
    from http.client import HTTPException  # noqa: PLC0415

    host, port = config.listen
    if not serving(config):
        return Finding("readiness", ok=True, detail="no gateway runs that could be asked")
    if not port or (config.tls and config.tls.client_required):
        return Finding("readiness", ok=True, detail="not asked: the port is any, or a client's certificate is wanted")
    try:
        status, said = _asked(host, port, tls=config.tls is not None)
    except (OSError, HTTPException):
        cure = "if listen or TLS were changed since it started, restart it; else its log says more"
        return Finding("readiness", ok=False, detail=f"the gateway does not answer at {host}:{port}", cure=cure)
    return Finding("readiness", ok=status == HTTPStatus.OK, detail=", ".join(said.split("\n")[:-1]) or str(status))


def _asked(host: str, port: int, *, tls: bool) -> tuple[int, str]:
    """Status and text of ``/readyz``, from the worker that took the connection. Raises OSError, HTTPException."""
    import ssl  # noqa: PLC0415
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # what is listened on is not asked
    connection = HTTPConnection(host, port, timeout=_PATIENCE)
    if tls:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Nothing secret is sent, and the certificate is made for another name than the one asked for here.
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        connection = HTTPSConnection(host, port, timeout=_PATIENCE, context=trust)
    with closing(connection):
        connection.request("GET", "/readyz?verbose")
        response = connection.getresponse()
        return response.status, response.read(_MOST).decode("utf-8", "replace")


def serving(config: Config) -> bool:
    """Whether a server holds this very data folder."""
    from wardgate.server.run import LOCK  # noqa: PLC0415

    try:
        lock = os.open(config.runtime / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
