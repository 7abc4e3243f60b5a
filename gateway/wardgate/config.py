"""The configuration: what ``wardgate serve --config FILE`` reads, checked whole before anything starts."""

from __future__ import annotations

import math
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from wardgate.spi.errors import InvalidValue
from wardgate.spi.networks import is_loopback
from wardgate.spi.options import nearest, option, parse
from wardgate.type_options import TABLES, TypeOptions

DEFAULT_LISTEN = "127.0.0.1:8200"
DEFAULT_PLUGINS = ("native", "vault")
MIB = 1024 * 1024
MOST_TTL = 86_400
"""Seconds that a mount, or the gateway, can say that a read is remembered."""
_ENDPOINT = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[!-~]*)?|https?://\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?(/[!-~]*)?"
)


class ConfigError(InvalidValue):
    """The configuration cannot be used; the message names the file and the key, and says what to do."""

    code = "invalid_configuration"


@dataclass(frozen=True)
class Limits:
    """``[limits]``: what one request, one client and one worker may take. All are for each worker on its own."""

    header_bytes: int = option(help="bytes of a request's line and headers", default=32 * 1024)
    header_count: int = option(help="header lines of a request", default=100)
    header_seconds: float = option(
        help="seconds from the first byte of a request to the end of its headers", default=10.0
    )
    body_bytes: int = option(help="bytes of a request's body", default=4 * MIB)
    body_seconds: float = option(help="seconds a request's body may take to arrive", default=30.0)
    bodies_bytes: int = option(help="bytes of all bodies held at one time", default=64 * MIB)
    request_seconds: float = option(help="seconds until a request's deadline", default=60.0)
    answer_seconds: float = option(help="seconds until a connection whose answer is not taken is cut", default=120.0)
    idle_seconds: float = option(help="seconds a connection is kept between requests", default=90.0)
    connections: int = option(help="open connections", default=10_000)
    source_requests: int = option(help="requests of one source address at one time", default=1_024)
    source_rate: int = option(help="requests of one source address in one second", default=50_000)
    drain_seconds: float = option(help="seconds that requests under way get to finish when stopping", default=20.0)

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"[limits]: option {limit.name!r} must be more than zero, and finite")


@dataclass(frozen=True)
class Server:
    """``[server]``, as written in the file."""

    listen: str = option(help="address to listen on, HOST:PORT", default=DEFAULT_LISTEN)
    workers: int = option(help="worker processes", default=2)
    unready_seconds: float = option(
        help="seconds that a stopping gateway still serves, while `/readyz` says that it stops", default=0.0
    )
    tls_certificate: str | None = option(help="PEM file of the certificate and its chain", default=None)
    tls_key: str | None = option(help="PEM file of the certificate's key", default=None)
    tls_client_ca: str | None = option(help="PEM file of the authorities whose client certificates count", default=None)
    tls_client_required: bool = option(help="refuse clients that show no certificate", default=False)


@dataclass(frozen=True)
class Data:
    """``[data]``, as written in the file."""

    folder: str = option(help="folder of the state and the native store")
    key_file: str = option(help="the seal's key file; outside the folder")


@dataclass(frozen=True)
class Audit:
    """``[audit]``, as written in the file."""

    folder: str | None = option(help="folder of the audit's files (default: audit in the data folder)", default=None)
    synced: bool = option(help="a record is on the disk before its answer leaves", default=True)
    max_file_bytes: int = option(help="bytes after which a new file is begun", default=256 * MIB)
    retention_files: int = option(help="files to keep for each worker; 0 keeps all", default=0)


@dataclass(frozen=True)
class Log:
    """``[log]``: how the gateway's own log is written, to the standard error."""

    format: str = option(help="`text` or `json`, one line an event", default="text")
    level: str = option(help="the least that is written: `debug`, `info`, `warning` or `error`", default="info")

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("format", self.format, ("text", "json")),
            ("level", self.level, ("debug", "info", "warning", "error")),
        ):
            if value not in choices:
                raise ConfigError(f"[log]: option {name!r} must be one of: {', '.join(choices)}")


@dataclass(frozen=True)
class Traces:
    """``[traces]``: where spans go; nowhere, and nothing of them is loaded, while ``endpoint`` is not set."""

    endpoint: str | None = option(
        help="URL of an OpenTelemetry collector for OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`",
        default=None,
    )
    ca_file: str | None = option(help="PEM file of the authorities to trust for the collector", default=None)
    ratio: float = option(help="which part of all requests is traced, from 0 to 1", default=1.0)

    def __post_init__(self) -> None:
        if self.endpoint is not None and not _ENDPOINT.fullmatch(self.endpoint):
            raise ConfigError("[traces]: option 'endpoint' must be a URL such as http://127.0.0.1:4318/v1/traces")
        if not 0 <= self.ratio <= 1:
            raise ConfigError("[traces]: option 'ratio' must be from 0 to 1")


@dataclass(frozen=True)
class Cache:
    """``[cache]``: what each worker may remember of the secrets it read."""

    entries: int = option(help="reads remembered", default=10_000)
    bytes: int = option(help="bytes they may take, roughly", default=64 * MIB)
    ttl_seconds: float = option(help="seconds a read is remembered where its mount says nothing else", default=60.0)

    def __post_init__(self) -> None:
        if self.entries < 1 or self.bytes < MIB:
            raise ConfigError("[cache]: 'entries' must be at least 1, and 'bytes' at least 1048576")
        if not (math.isfinite(self.ttl_seconds) and 0 <= self.ttl_seconds <= MOST_TTL):
            raise ConfigError(f"[cache]: 'ttl_seconds' must be from 0 (nothing is remembered) to {MOST_TTL}")


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key of the listener; ``client_ca`` makes client certificates count."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    client_required: bool = False


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """Where the audit writes and how. ``retention_files`` 0 keeps all."""

    folder: Path
    synced: bool = True
    max_file_bytes: int = 256 * MIB
    retention_files: int = 0


@dataclass(frozen=True, slots=True)
class DevConfig:
    """What ``wardgate dev`` adds. ``temporary``: a folder that vanishes with the server."""

    token: str | None = field(default=None, repr=False)
    temporary: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration. ``listen``: host and port; port 0 takes any free one.

    ``namespace_backends``: backend types that namespaces below the root may mount, besides the embedded ones. Such a
    store is reached from the gateway's own network, so it is the operator who decides.
    """

    data: Path
    key_file: Path
    audit: AuditConfig
    listen: tuple[str, int] = ("127.0.0.1", 8200)
    tls: Tls | None = None
    workers: int = 2
    unready_seconds: float = 0.0
    plugins: tuple[str, ...] = DEFAULT_PLUGINS
    namespace_backends: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    cache: Cache = field(default_factory=Cache)
    log: Log = field(default_factory=Log)
    traces: Traces = field(default_factory=Traces)
    type_options: TypeOptions = field(default_factory=TypeOptions)
    dev: DevConfig | None = None

    def __post_init__(self) -> None:
        host = self.listen[0]
        if not is_loopback(host) and (self.tls is None or self.dev is not None):
            cure = (
                "dev listens on loopback only"
                if self.dev
                else "set tls_certificate and tls_key, or listen on 127.0.0.1"
            )
            raise ConfigError(f"listen: {host!r} can be reached from other machines; {cure}")
        if self.key_file.resolve().is_relative_to(self.data.resolve()):
            raise ConfigError(
                f"key_file: {self.key_file} lies in the data folder {self.data}; "
                "keep it elsewhere, so that a copy of the folder does not hold its key"
            )
        if not 1 <= self.workers <= MOST_WORKERS:
            raise ConfigError(f"workers must be from 1 to {MOST_WORKERS}")
        if not 0 <= self.unready_seconds <= MOST_UNREADY_SECONDS:
            raise ConfigError(f"unready_seconds must be from 0 to {MOST_UNREADY_SECONDS}")

    @property
    def runtime(self) -> Path:
        """The folder of the lock and the control socket: beside a dev server's data, in any other's."""
        return self.data.parent if self.dev else self.data

    @property
    def was_made(self) -> bool:
        """Whether something is left of an installation: then data that is not there was lost, and not never made."""
        return os.path.lexists(self.key_file) or os.path.lexists(self.audit.folder)

    @classmethod
    def for_dev(
        cls,
        *,
        listen: str = DEFAULT_LISTEN,
        token: str | None = None,
        workers: int = 1,
        folder: Path | None = None,
        plugins: tuple[str, ...] = (),
    ) -> Config:
        """The configuration of ``wardgate dev``: state and key beside each other in ``folder``, or a temporary one.

        ``plugins``: those to load besides the default ones.
        """

        def within(base: Path) -> Config:
            return cls(
                data=base / "data",
                key_file=base / "wardgate.key",
                audit=AuditConfig(base / "data" / "audit"),
                listen=parse_listen(listen),
                workers=workers,
                plugins=tuple(dict.fromkeys((*DEFAULT_PLUGINS, *plugins))),
                log=Log(level="warning"),
                dev=DevConfig(token=token, temporary=None if folder else base),
            )

        if folder:
            return within(folder)
        within(Path(tempfile.gettempdir()))  # what is wrong is found before there is a folder to leave behind
        return within(Path(tempfile.mkdtemp(prefix="wardgate-dev-")))


MOST_WORKERS = 64
MOST_UNREADY_SECONDS = 3_600
SECTIONS: Mapping[str, type] = {
    "server": Server,
    "data": Data,
    "audit": Audit,
    "cache": Cache,
    "limits": Limits,
    "log": Log,
    "traces": Traces,
}
"""The tables of the file, each with the dataclass that declares its keys."""


def load(file: Path) -> Config:
    """Read and check a configuration file. Relative paths in it start at its folder.

    Raises:
        ConfigError: unreadable, not TOML, an unknown key (with the nearest right one), a wrong type or value.
    """
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); give the path of a configuration file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {_first_line(error)}") from None
    try:
        return _build(given, file)
    except InvalidValue as error:
        raise ConfigError(f"{file}: {error.message}") from None


def _build(given: Mapping[str, Any], file: Path) -> Config:
    folder = file.parent
    known = (*SECTIONS, *TABLES, "plugins", "namespace_backends")
    for name in given:
        if name not in known:
            raise ConfigError(f"unknown key {name!r}{nearest(name, known)}")
    server: Server = _section(given, "server")
    data: Data = _section(given, "data")
    audit: Audit = _section(given, "audit")
    path = folder / data.folder
    return Config(
        data=path,
        key_file=folder / data.key_file,
        listen=parse_listen(server.listen),
        tls=_tls(server, folder),
        workers=server.workers,
        unready_seconds=server.unready_seconds,
        plugins=_names(given, "plugins", DEFAULT_PLUGINS),
        namespace_backends=_names(given, "namespace_backends", ()),
        limits=_section(given, "limits"),
        cache=_section(given, "cache"),
        log=_section(given, "log"),
        traces=_traces(given, folder),
        type_options=TypeOptions.read(given, file, exposed=bool(file.stat().st_mode & 0o077)),
        audit=AuditConfig(
            folder=folder / audit.folder if audit.folder else path / "audit",
            synced=audit.synced,
            max_file_bytes=_at_least(audit, "max_file_bytes", MIB),
            retention_files=_at_least(audit, "retention_files", 0),
        ),
    )


def _section(given: Mapping[str, Any], name: str) -> Any:
    section = given.get(name, {})
    if not isinstance(section, dict):
        raise ConfigError(f"{name!r} must be a table: [{name}]")
    return parse(SECTIONS[name], section, of=f"[{name}]")


def _names(given: Mapping[str, Any], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    names = given.get(key, list(default))
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f'{key!r} must be a list of names, such as ["native", "vault"]')
    if len(set(names)) != len(names):
        raise ConfigError(f"{key!r} has one name twice; give each once")
    return tuple(names)


def _tls(server: Server, folder: Path) -> Tls | None:
    if server.tls_certificate is None and server.tls_key is None:
        if server.tls_client_ca is not None or server.tls_client_required:
            raise ConfigError("[server]: client certificates need TLS; set tls_certificate and tls_key too")
        return None
    if server.tls_certificate is None or server.tls_key is None:
        missing = "tls_certificate" if server.tls_certificate is None else "tls_key"
        raise ConfigError(f"[server]: option {missing!r} is missing; TLS needs tls_certificate and tls_key")
    if server.tls_client_required and server.tls_client_ca is None:
        raise ConfigError("[server]: tls_client_required needs tls_client_ca, the authorities to trust")
    return Tls(
        certificate=folder / server.tls_certificate,
        key=folder / server.tls_key,
        client_ca=folder / server.tls_client_ca if server.tls_client_ca else None,
        client_required=server.tls_client_required,
    )


def _traces(given: Mapping[str, Any], folder: Path) -> Traces:
    traces: Traces = _section(given, "traces")
    return replace(traces, ca_file=str(folder / traces.ca_file)) if traces.ca_file else traces


def _at_least(audit: Audit, name: str, least: int) -> int:
    value: int = getattr(audit, name)
    if value < least:
        raise ConfigError(f"[audit]: option {name!r} must be at least {least}")
    return value


def parse_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT`` or ``[IPV6]:PORT`` as host and port.

    Raises:
        ConfigError: anything else.
    """
    match = _LISTEN.fullmatch(text)
    if match is None or int(match["port"]) > MOST_PORT:
        raise ConfigError(f"listen: {text!r} is not HOST:PORT, such as {DEFAULT_LISTEN} or [::1]:8200")
    return match["ipv6"] or match["host"], int(match["port"])


_LISTEN = re.compile(r"(?:\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>[0-9]{1,5})")
MOST_PORT = 65_535


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
