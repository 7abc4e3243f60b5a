"""A client of ``/api/v1``: one request at a time, and its problems as failures of the command."""

from __future__ import annotations

import contextlib
import json
import ssl
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Self
from urllib.parse import unquote

import click
import httpx2

from wardgate.cli.failure import Failure
from wardgate.cli.paths import lister
from wardgate.cli.terminal import printable
from wardgate.spi.path import Path

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 65.0  # longer than the gateway's own deadline, so that its answer is heard
_ERROR = 400
NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
"""How OpenSSL calls an answer that is not TLS."""
LISTED_BY = {
    "policies": "policy list",
    "labels": "label list",
    "keys": "key list",
    "approle": "approle list",
    "auth-methods": "auth list",
    "mounts": "mount list",
    "namespaces": "namespace list",
}
"""The first segment below ``/api/v1/``, and the command that lists what is there."""
STORE_REFUSES = (
    "Wardgate allowed it, its store did not: give the mount's credential the right; "
    "`wardgate doctor` on the gateway's machine names what it lacks."
)


@dataclass(frozen=True)
class Reply:
    """An answer below 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The decoded body. Raises Failure when it is no JSON: then no Wardgate answered."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise stranger() from None

    def header(self, name: str) -> str:
        """A header that every Wardgate sends. Raises Failure without it."""
        if name not in self.headers:
            raise stranger()
        return self.headers[name]


def stranger() -> Failure:
    """What answered is no Wardgate: a wrong address, or something in between."""
    return Failure("this is not the answer of a Wardgate; is the address right?", code="unavailable")


class Client:
    """Speaks to one gateway, with one token, in one namespace."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None,
        namespace: str,
        ca_file: FilePath | None,
        refused: str = "",
        said_by: str = "--address",
    ) -> None:
        """Make ready to speak.

        Args:
            address: the gateway's URL.
            token: what to show; None: nothing.
            namespace: its path; empty: the root.
            ca_file: the authorities to trust; None: the system's.
            refused: the hint for when the gateway does not accept the credential.
            said_by: the option or variable that the address comes from.
        """
        self._refused = refused
        self._said_by = said_by
        headers = {"accept": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if namespace.strip("/"):
            headers["x-wardgate-namespace"] = str(Path.parse(namespace.strip("/")))
        self._address = address.removesuffix("/")
        self._http = httpx2.Client(
            base_url=self._address,
            headers=httpx2.Headers(list(headers.items()), encoding="utf-8"),
            verify=_trust(self._address, ca_file),
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            # No proxy and no .netrc from the environment: a token goes to the address given, and nowhere else.
            trust_env=False,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request below ``/api/v1/``; ``body`` is sent as JSON, ``content`` as it is. Warnings go to stderr.

        Raises:
            Failure: the gateway does not answer, or answers with a problem.
        """
        try:
            response = self._http.request(
                method,
                f"/api/v1/{path}",
                params=dict(query or {}),
                json=body,
                content=content,
                headers=dict(headers or {}),
            )
        except httpx2.TimeoutException as error:
            # A gateway that speaks plain HTTP waits for the rest of what it takes for a request.
            why = f": perhaps no TLS is spoken there; {self._check()}" if _in_handshake(error) else ""
            raise Failure(f"{self._address} does not answer in time{why}", code="unavailable") from None
        except httpx2.TransportError as error:
            raise Failure(f"{self._address} cannot be reached: {self._why(error)}", code="unavailable") from None
        if response.status_code >= _ERROR:
            raise self._problem(response, path)
        for warning in response.headers.get_list("x-wardgate-warning"):
            click.echo(f"Warning: {printable(warning)}", err=True)
        return Reply(response.status_code, response.headers, response.content)

    def json(self, method: str, path: str, **request: Any) -> Any:
        """Send one request and decode its answer."""
        return self.request(method, path, **request).json()

    def _problem(self, response: httpx2.Response, path: str) -> Failure:
        failure = _problem(response)
        if failure.code == "unauthenticated":
            failure.hint = self._refused
        elif failure.code == "secret_not_found":
            failure.hint = f"Check the name; {_where_to_look(path)} shows what is there."
        elif failure.code == "permission_denied" and _is_of_a_store(failure.message):
            failure.hint = STORE_REFUSES
        return failure

    def _why(self, error: httpx2.TransportError) -> str:
        """The reason in a few words; the library's own sentence, which may quote the request, is not shown."""
        for cause in _chain(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return f"its certificate is not trusted ({cause.verify_message}); see --ca-file"
            if isinstance(cause, ssl.SSLError) and cause.reason in NO_TLS:
                return f"no TLS is spoken there; {self._check()}"
            if isinstance(cause, ConnectionRefusedError):
                return "nothing listens there; is the gateway running?"
        if isinstance(error, httpx2.ConnectError):
            return "the connection failed"
        plain = self._address.startswith("http:")
        return f"the connection broke{f', perhaps as TLS is spoken there; {self._check()}' if plain else ''}"

    def _check(self) -> str:
        return f"check {self._said_by}: the port, and http:// or https://"

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _trust(address: str, ca_file: FilePath | None) -> ssl.SSLContext:
    if not address.startswith("https:") and ca_file is None:
        # Trusts nobody, and need not: reading all the authorities of the system takes a tenth of a second.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise Failure(f"the CA file {ca_file} cannot be read as PEM", code="invalid_configuration") from None


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _in_handshake(error: BaseException) -> bool:
    """Whether the other side was reached, and TLS with it never began."""
    frames = (frame for cause in _chain(error) for frame, _ in traceback.walk_tb(cause.__traceback__))
    return any(frame.f_code.co_name == "do_handshake" for frame in frames)


def _is_of_a_store(message: str) -> bool:
    """Whether a refusal comes from behind a mount, which the gateway says first, and not from its policies."""
    return message.startswith("mount ") and "/: " in message


def _where_to_look(path: str) -> str:
    kind, _, name = path.partition("/")
    return f"`wardgate {LISTED_BY[kind]}`" if kind in LISTED_BY else lister(unquote(name).rpartition("/")[0])


def _problem(response: httpx2.Response) -> Failure:
    try:
        problem = json.loads(response.content)
        code, detail = str(problem["code"]), str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return _plain_problem(response)
    return Failure(detail, code=code, request_id=str(problem.get("request_id", "")))


def _plain_problem(response: httpx2.Response) -> Failure:
    """An answer in another form: from the gateway's first layer, or from something in between."""
    codes = {400: "malformed", 404: "secret_not_found", 413: "too_large", 429: "rate_limited", 503: "unavailable"}
    message = f"the gateway answered {response.status_code}"
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        message += f": {json.loads(response.content)['errors'][0]}"
    return Failure(message, code=codes.get(response.status_code, "failed"))
