"""One request of a Vault client, read as far as every route needs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar
from urllib.parse import parse_qsl

from wardgate.spi import http
from wardgate.spi.errors import InvalidValue, Malformed, WardgateError
from wardgate.spi.frontend import ARRIVAL, Arrival, Gateway, Outcome, Receive, Scope
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.wrapping import MAX_TTL
from wardgate.spi.path import Path

from wardgate_vault.api.envelope import Answer, refusal
from wardgate_vault.api.errors import Refused
from wardgate_vault.durations import parse_duration

R = TypeVar("R")
Handler = Callable[["Request"], Awaitable[Answer]]

PREFIX = b"/v1/"
MAX_PARAMETERS = 32
MAX_REMEMBERED = 256
"""Bytes of a path that is remembered once it was read; longer ones are read again each time."""
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False", ""})
_SINGLE = (http.TOKEN_HEADER, b"authorization", b"x-vault-namespace", b"x-vault-wrap-ttl")
VERBS: Mapping[str, str] = {
    "GET": "read", "HEAD": "head", "LIST": "list", "POST": "write", "PUT": "write", "DELETE": "delete",
    "PATCH": "patch", "SCAN": "scan",
}  # fmt: skip
"""HTTP methods to Vault's operations; PUT and POST are one. A GET with ``?list=true`` is a list, one with
``?scan=true`` a scan."""
MERGE_PATCH = "application/merge-patch+json"
ACTIONS: Mapping[str, Action] = {
    "read": Action.READ, "head": Action.READ, "list": Action.LIST, "write": Action.WRITE, "delete": Action.DELETE,
    "patch": Action.WRITE, "scan": Action.LIST,
}  # fmt: skip
"""What policy is asked for a request that no route takes."""


class Request:
    """What the caller asks: a verb of Vault's at a path of the namespace.

    ``path`` is below ``/v1/``, ``None`` for ``/v1/`` itself. ``folder``: the path ended in a slash.
    ``parameters`` are those of the query. ``wrap_ttl``: nanoseconds that the answer is to be kept; 0: it is given.
    ``fresh``: the caller will not have what the cache remembers. ``again`` is set by a handler to say how a later
    request for the same target may be answered without reading the target anew.
    """

    __slots__ = (
        "_receive",
        "again",
        "credential",
        "folder",
        "fresh",
        "gateway",
        "namespace",
        "parameters",
        "path",
        "scope",
        "verb",
        "wrap_ttl",
    )

    def __init__(self, gateway: Gateway, scope: Scope, receive: Receive) -> None:
        self.gateway = gateway
        self.scope = scope
        self._receive = receive
        self.credential: Credential | None = None
        self.namespace = ""
        self.parameters: dict[str, str] = {}
        self.path: Path | None = None
        self.folder = False
        self.verb = ""
        self.wrap_ttl = 0
        self.fresh = False
        self.again: Handler | None = None

    def read_headers(self) -> None:
        """Read the headers. Raises Refused when one cannot be read."""
        try:
            self._read_headers()
        except WardgateError as error:
            raise Refused(error) from None

    def read_target(self) -> None:
        """Read the request line. Raises Refused for a path or query that cannot be read."""
        try:
            self._read_path()
            self._read_query()
        except WardgateError as error:
            raise Refused(error) from None

    def _read_headers(self) -> None:
        listed = self.scope["headers"]
        headers = http.by_name(listed, _SINGLE)
        bare, authorization = headers.get(http.TOKEN_HEADER, b""), headers.get(b"authorization", b"")
        self.credential = http.credential(bare.decode("latin-1"), authorization.decode("latin-1"))
        namespace = headers.get(b"x-vault-namespace")
        if namespace:
            self.namespace = http.namespace(namespace)
        if b"cache-control" in headers:
            self.fresh = _no_cache(value for name, value in listed if name == b"cache-control")
        wrap_ttl = headers.get(b"x-vault-wrap-ttl")
        if wrap_ttl:
            self.wrap_ttl = _wrap_ttl(wrap_ttl.decode("latin-1"))

    def _read_path(self) -> None:
        raw: bytes = self.scope["raw_path"]
        below = raw[len(PREFIX) :]
        if b"%" in below:
            # HashiCorp's own client for Go escapes the slashes of a secret's path; here as there they are slashes, and
            # what is read below is the only path that anybody sees.
            below = below.replace(b"%2F", b"/").replace(b"%2f", b"/")
        if below.endswith(b"/"):
            self.folder = True
            below = below[:-1]
        if below:
            self.path = _remembered_path(below) if len(below) <= MAX_REMEMBERED else Path.from_raw(below)

    def _read_query(self) -> None:
        method = self.scope["method"]
        verb = VERBS.get(method)
        if verb is None:
            raise Refused(Malformed("no such method"), refusal(405))
        self.verb = verb
        if verb == "patch":
            self._check_patch()
        query: bytes = self.scope["query_string"]
        if not query:
            return
        try:
            pairs = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            raise Malformed("the query cannot be read: not UTF-8, or too many parameters") from None
        self.parameters = dict(pairs)
        if len(self.parameters) != len(pairs):
            raise Malformed("a parameter of the query is given twice")
        if method == "GET":
            asked = [name for name in ("list", "scan") if self.flag(name)]
            if len(asked) > 1:
                raise Refused(Malformed("a request lists, or scans"), refusal(400))
            self.verb = asked[0] if asked else verb

    def _check_patch(self) -> None:
        given = dict(self.scope["headers"]).get(b"content-type", b"").decode("latin-1")
        kind = given.partition(";")[0].strip().lower()
        if not kind:
            raise Refused(Malformed("PATCH without a Content-Type"), refusal(400, "mime: no media type"))
        if kind != MERGE_PATCH:
            error = Malformed("PATCH with another Content-Type")
            raise Refused(error, refusal(415, f"PATCH requires Content-Type of {MERGE_PATCH}, provided {kind}"))

    def flag(self, name: str) -> bool:
        """A parameter that is true or false, as Go reads them."""
        given = self.parameters.get(name, "")
        if given not in _TRUE and given not in _FALSE:
            raise Refused(Malformed(f"the parameter {name} must be true or false"), refusal(400))
        return given in _TRUE

    @property
    def id(self) -> str:
        """The request's id, a UUID."""
        return self.arrival.id

    @property
    def arrival(self) -> Arrival:
        """What the accept layer found out of it."""
        arrival: Arrival = self.scope[ARRIVAL]
        return arrival

    async def body(self) -> bytes:
        """The whole body. Raises Refused where the caller goes away before its end."""
        try:
            return await http.body(self._receive)
        except Malformed as error:
            raise Refused(error) from None

    async def perform(self, operation: Operation[R]) -> Outcome[R]:
        """Send one operation down the road as this caller."""
        return await self.gateway.perform(self.arrival, operation, credential=self.credential, namespace=self.namespace)


def _wrap_ttl(given: str) -> int:
    try:
        ttl = parse_duration(given, field="X-Vault-Wrap-TTL")
    except InvalidValue:
        raise Malformed("error parsing X-Vault-Wrap-TTL header: no duration, or a negative one") from None
    if ttl > MAX_TTL:
        raise Malformed("error parsing X-Vault-Wrap-TTL header: more than 768h")
    return ttl


def _no_cache(given: Iterable[bytes]) -> bool:
    """Whether ``no-cache`` is among the directives, which any number of headers may hold (RFC 9111, 5.2)."""
    return any(one.strip().lower() == b"no-cache" for one in b",".join(given).split(b","))


_remembered_path = lru_cache(maxsize=4_096)(Path.from_raw)
