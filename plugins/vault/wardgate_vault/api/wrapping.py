"""Response wrapping: ``X-Vault-Wrap-TTL`` on any request, and ``sys/wrapping/``: wrap, lookup, unwrap, rewrap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from wardgate.spi.errors import InvalidValue, Unsupported, WardgateError
from wardgate.spi.frontend import Outcome, Wrap
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.wrapping import (
    WRAP,
    LookupWrapping,
    Rewrap,
    Unwrap,
    UnwrapOwn,
    Unwrapped,
    WrapData,
    Wrapped,
)
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import Answer, encode, envelope, one_error, refusal
from wardgate_vault.api.errors import Refused, refusing
from wardgate_vault.api.request import Handler, Request
from wardgate_vault.api.services import Route
from wardgate_vault.durations import rfc3339, whole_seconds

R = TypeVar("R")

_OK = 200
_PLAIN = frozenset(
    {("sys", name) for name in ("health", "seal-status", "init", "leader")} | {("sys", "wrapping", "rewrap")}
)
"""Never wrapped, as in Vault: the gateway's own state, and what is a wrapping already."""
_EMPTY = refusal(403, "error validating wrapping token: token is empty")


class _Kept(Exception):  # the end of a request, not a defect
    """The answer is kept; what is told instead."""

    def __init__(self, wrapped: Wrapped) -> None:
        super().__init__()
        self.wrapped = wrapped


class _MoreAsked(Exception):  # the end of a replay, not a defect
    """The handler goes on after what is known: this was not its last operation."""


async def answered(request: Request, handler: Handler) -> Answer:
    """What ``handler`` answers, kept under a wrapping token where the caller asked for that.

    A handler need not know of it. When an operation is done, and before its outcome is told to anyone, the handler is
    played again over the outcomes so far: if it then ends, what it says is what is kept.
    """
    if not request.wrap_ttl or (request.path is not None and request.path.segments in _PLAIN):
        return await handler(request)
    try:
        answer = await handler(_Wrapping(request, handler))
    except _Kept as kept:
        return _told(kept.wrapped)
    if answer.status == _OK and answer.body:
        # Never in plain what was asked for wrapped.
        return one_error(400, "this answer cannot be wrapped")
    return answer


class _Wrapping(Request):
    """A request whose last outcome is kept; it remembers what its handler was told."""

    __slots__ = ("_handler", "_read", "_said")

    def __init__(self, request: Request, handler: Handler) -> None:
        _take_over(self, request)
        self._handler = handler
        self._read = b""
        self._said: list[Outcome[Any] | WardgateError] = []

    async def body(self) -> bytes:
        """The whole body, remembered."""
        self._read = await super().body()
        return self._read

    async def perform(self, operation: Operation[R]) -> Outcome[R]:
        """Send one operation down the road; what its outcome makes the handler say is kept there."""
        wrap = Wrap(self.wrap_ttl, _creation_path(self), self._encode)
        try:
            outcome = await self.gateway.perform(
                self.arrival, operation, credential=self.credential, namespace=self.namespace, wrap=wrap
            )
        except WardgateError as error:
            self._said.append(error)
            raise
        if isinstance(outcome.result, Wrapped) and outcome.result.token:  # what a lookup tells has none
            raise _Kept(outcome.result)
        self._said.append(outcome)
        return outcome

    def _encode(self, outcome: Outcome[Any]) -> bytes:
        """What the handler would say; nothing where it goes on, or says nothing."""
        playing = self._handler(_Replay(self, self._read, (*self._said, outcome)))
        try:
            playing.__await__().send(None)
        except StopIteration as end:
            answer: Answer = end.value
            return answer.body if answer.status == _OK else b""
        except (_MoreAsked, Refused, WardgateError):
            return b""
        raise Unsupported("this answer cannot be wrapped")


class _Replay(Request):
    """A request whose outcomes are known; nothing of it waits."""

    __slots__ = ("_known", "_read")

    def __init__(self, request: Request, read: bytes, known: Sequence[Outcome[Any] | WardgateError]) -> None:
        _take_over(self, request)
        self._read = read
        self._known = list(known)

    async def body(self) -> bytes:
        """The body as it was read."""
        return self._read

    async def perform(self, operation: Operation[R]) -> Outcome[R]:  # noqa: ARG002  # its outcome is known
        """What this operation came to."""
        if not self._known:
            raise _MoreAsked
        outcome = self._known.pop(0)
        if isinstance(outcome, WardgateError):
            raise outcome
        return outcome


def _take_over(new: Request, request: Request) -> None:
    for name in Request.__slots__:
        setattr(new, name, getattr(request, name))


def _creation_path(request: Request) -> str:
    return f"{request.path}/" if request.verb == "list" else str(request.path)


def _told(wrapped: Wrapped) -> Answer:
    info: dict[str, object] = {
        "token": wrapped.token,
        "accessor": wrapped.accessor,
        "ttl": whole_seconds(wrapped.ttl),
        "creation_time": rfc3339(wrapped.created_at),
        "creation_path": wrapped.creation_path,
    }
    if wrapped.wrapped_accessor:
        info["wrapped_accessor"] = wrapped.wrapped_accessor
    return envelope("", wrap_info=info)


async def _wrap(request: Request) -> Answer:
    with refusing(WrapData.action, WRAP):
        body = await request.body()
        wire.decode(body, dict)
    data = (await request.perform(WrapData(data=body.strip() or b"null"))).result
    return envelope(request.id, data)


async def _token(request: Request, path: Path) -> str:
    """The wrapping token: of the body, or else the one shown as the caller's."""
    with refusing(None, path):
        asked, _ = wire.decode(await request.body(), wire.WrappingToken)
        return (asked.token or "").strip() or (request.credential.secret if request.credential else "")


async def _lookup(request: Request) -> Answer:
    assert request.path is not None
    token = await _token(request, request.path)
    if not token:
        return _EMPTY
    kept = (await request.perform(LookupWrapping(token=token))).result
    data = {
        "creation_path": kept.creation_path,
        "creation_time": rfc3339(kept.created_at),
        "creation_ttl": whole_seconds(kept.ttl),
    }
    return envelope(request.id, encode(data))


async def _unwrap(request: Request) -> Answer:
    assert request.path is not None
    token = await _token(request, request.path)
    if not token:
        return _EMPTY
    own = request.credential is not None and request.credential.secret == token
    outcome: Outcome[Unwrapped] = await request.perform(UnwrapOwn(token=token) if own else Unwrap(token=token))
    payload = outcome.result.payload
    try:
        parts = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        raise InvalidValue(
            "what was wrapped is no answer of this API; unwrap it through the one it came from"
        ) from None
    if "request_id" in parts:
        # The answer is this request's now; all else stays byte for byte.
        parts["request_id"] = msgspec.Raw(encode(request.id))
    return Answer(_OK, encode(parts) + b"\n")


async def _rewrap(request: Request) -> Answer:
    assert request.path is not None
    with refusing(Action.WRITE, request.path):
        asked, _ = wire.decode(await request.body(), wire.WrappingToken)
    token = (asked.token or "").strip() or (request.credential.secret if request.credential else "")
    return _told((await request.perform(Rewrap(token=token))).result)


ROUTES = (
    Route(("sys", "wrapping", "wrap"), {"write": _wrap}),
    Route(("sys", "wrapping", "lookup"), {"read": _lookup, "write": _lookup}),
    Route(("sys", "wrapping", "unwrap"), {"write": _unwrap}),
    Route(("sys", "wrapping", "rewrap"), {"write": _rewrap}),
)
