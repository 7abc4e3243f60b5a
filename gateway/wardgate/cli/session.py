"""What every client command shares: its options, where the gateway is, and which token it shows."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from wardgate.cli import terminal
from wardgate.cli.failure import Failure, Manner
from wardgate.spi.networks import is_loopback

if TYPE_CHECKING:
    from wardgate.cli.client import Client

DEFAULT_ADDRESS = "http://127.0.0.1:8200"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Session:
    """One command's view of a gateway."""

    address: str
    token_file: Path | None
    namespace: str
    ca_file: Path | None
    allow_http: bool
    json: bool
    said_by: str = "--address"
    """The option or variable that the address comes from."""

    def client(self, *, anonymous: bool = False, refused: str = "") -> Client:
        """Connect.

        Args:
            anonymous: show no token.
            refused: the hint for when the gateway does not accept what is shown; by default it speaks of the token.

        Raises:
            Failure: there is no token, or the way is not safe.
        """
        from wardgate.cli.client import Client  # noqa: PLC0415  # the HTTP library takes a while to load

        _check_address(self.address, allow_http=self.allow_http)
        token = None if anonymous else self._token()
        return Client(
            self.address,
            token=token,
            namespace=self.namespace,
            ca_file=self.ca_file,
            refused=refused or self._refused(),
            said_by=self.said_by,
        )

    def _refused(self) -> str:
        if self.token_file is not None:
            source = f"the token in {self.token_file}"
            if os.environ.get("WARDGATE_TOKEN", "").strip():
                source += ", which goes before the one of WARDGATE_TOKEN,"
        else:
            asked = not os.environ.get("WARDGATE_TOKEN", "").strip()
            source = "that token" if asked else "the token of WARDGATE_TOKEN"
        name = self.namespace.strip("/")
        where = f"in namespace {name!r}" if name else "in the root namespace"
        return f"The gateway does not accept {source} {where}: wrong, expired, revoked, or another namespace's."

    def _token(self) -> str:
        if self.token_file is not None:
            try:
                token = self.token_file.read_text().strip()
            except (OSError, UnicodeDecodeError):
                raise Failure(
                    f"the token file {self.token_file} cannot be read", code="invalid_configuration"
                ) from None
            if not token:
                raise Failure(f"the token file {self.token_file} is empty", code="invalid_configuration")
        else:
            token = os.environ.get("WARDGATE_TOKEN", "").strip()
        if not token and terminal.somebody_is_there():
            token = str(click.prompt("Token", hide_input=True, err=True)).strip()
        if not token:
            raise Failure("there is no token", code="unauthenticated")
        if not token.isascii() or not token.isprintable():
            raise Failure("the token holds characters that no token has", code="unauthenticated")
        return token


def _check_address(address: str, *, allow_http: bool) -> None:
    """Refuse to show a token over a network in plain text."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        valid = parts.scheme in {"http", "https"} and bool(host) and parts.path in {"", "/"} and parts.port != 0
    except ValueError:
        valid, host = False, ""
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise Failure(
            "the address is not one of a gateway; write it like https://gateway.example:8200",
            code="invalid_configuration",
        )
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise Failure(
            f"http:// would show your token to the network between here and {host}; use https://, "
            "or --allow-http where something else protects that way",
            code="invalid_configuration",
        )


def _said_by() -> str:
    """Which option or variable the address of this command comes from; where none was said, the variable that may."""
    source = click.get_current_context().get_parameter_source("address")
    return "--address" if source is click.core.ParameterSource.COMMANDLINE else "WARDGATE_ADDR"


def _remember_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:  # noqa: FBT001  # click's
    if value and isinstance(ctx.obj, Manner):
        ctx.obj.json = True
    return value


def json_option(function: F) -> F:
    """``--json``, for commands that are no clients; errors are JSON too, on stderr."""
    option = click.option(
        "--json", "as_json", is_flag=True, is_eager=True, callback=_remember_json, help="Answer in JSON."
    )
    return option(function)


def client_options(function: F) -> Callable[..., Any]:
    """Give a command the options of a client; it gets them as one ``session``, first."""

    @functools.wraps(function)
    def command(  # the names of the options below
        address: str,
        token_file: Path | None,
        namespace: str,
        ca_file: Path | None,
        *,
        allow_http: bool,
        as_json: bool,
        **rest: Any,
    ) -> Any:
        session = Session(address, token_file, namespace, ca_file, allow_http, as_json, _said_by())
        return function(session, **rest)

    file = click.Path(dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--allow-http", is_flag=True, envvar="WARDGATE_ALLOW_HTTP",
            help="Speak http:// to another machine: everybody on the way can read the token and all values.",
        ),
        click.option("--ca-file", type=file, envvar="WARDGATE_CA_FILE", help="PEM file of the authorities to trust."),
        click.option("--namespace", default="", envvar="WARDGATE_NAMESPACE", help="Path of the namespace."),
        click.option(
            "--token-file", type=file, envvar="WARDGATE_TOKEN_FILE",
            help="File that holds the token; else WARDGATE_TOKEN, else a prompt.",
        ),
        click.option(
            "--address", default=DEFAULT_ADDRESS, envvar="WARDGATE_ADDR", show_default=True, help="The gateway's URL.",
        ),
        json_option,
    ):  # fmt: skip
        command = option(command)
    return command
