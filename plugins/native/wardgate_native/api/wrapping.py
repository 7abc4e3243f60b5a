"""Endpoints of wrapping: a JSON object is kept for whoever shows its wrapping token, once."""

from __future__ import annotations

from typing import Annotated

import msgspec
from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed, PermissionDenied
from wardgate.spi.frontend import Outcome, Wrap
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.wrapping import (
    MAX_TTL,
    WRAP,
    LookupWrapping,
    Rewrap,
    Unwrap,
    UnwrapOwn,
    Unwrapped,
    WrapData,
    Wrapped,
)

from wardgate_native.api import reading
from wardgate_native.api.routing import Call, Route
from wardgate_native.api.wire import SECOND, Answer, Body, ShownOnce, rfc3339

_Object = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "object"})]


class WrapRequest(Body):
    """A JSON object to keep, and for how long: 32 days at most."""

    data: _Object
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=MAX_TTL // SECOND)]


class WrappingToken(Body):
    """The token under which something is kept."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class Wrapping(msgspec.Struct, kw_only=True):
    """What is known of what is kept, and nothing of its content; ``accessor`` is what the audit calls it.

    ``creation_path``: where it came from. ``ttl_seconds``: how long it is kept in all.
    """

    accessor: str
    creation_path: str
    created_at: str | None
    expires_at: str | None
    ttl_seconds: int


class IssuedWrapping(ShownOnce, kw_only=True):
    """A new wrapping token; ``token`` is shown here once and never again: null when the request is repeated."""

    once = ("token",)
    token: str | None
    info: Wrapping


class Content(msgspec.Struct):
    """What was kept, given out once; ``data`` is the object as it was sent."""

    data: _Object


_wraps = msgspec.json.Decoder(WrapRequest).decode
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode_wrap(data: bytes) -> WrapRequest:
    """A body of ``wrap``, read strictly; the object is kept as the text received.

    Raises:
        Malformed, msgspec.MsgspecError: it is not one.
    """
    strict_json.loads(data)
    decoded = _wraps(data)
    if not _is_object(decoded.data):
        raise Malformed("$.data: must be an object")
    return decoded


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(raw).lstrip().startswith(b"{")


def _wrap(call: Call) -> WrapData:
    asked: WrapRequest = call.body
    return WrapData(data=bytes(asked.data))


def _kept(call: Call) -> Wrap:
    asked: WrapRequest = call.body
    return Wrap(asked.ttl_seconds * SECOND, str(WRAP), _payload)


def _payload(outcome: Outcome[bytes]) -> bytes:
    return b'{"data":%b}' % outcome.result


def _unwrap(call: Call) -> Operation[Unwrapped]:
    asked: WrappingToken = call.body
    shown = reading.credential(call.headers)
    own = shown is None or shown.secret == asked.token
    return UnwrapOwn(token=asked.token) if own else Unwrap(token=asked.token)


def _info(kept: Wrapped) -> Wrapping:
    return Wrapping(
        accessor=kept.accessor,
        creation_path=kept.creation_path,
        created_at=rfc3339(kept.created_at),
        expires_at=rfc3339(kept.created_at + kept.ttl),
        ttl_seconds=kept.ttl // SECOND,
    )


def _info_answer(outcome: Outcome[Wrapped]) -> Answer:
    return Answer(_info(outcome.result))


def _issued_answer(outcome: Outcome[Wrapped]) -> Answer:
    return Answer(IssuedWrapping(token=outcome.result.token, info=_info(outcome.result)))


def _content_answer(outcome: Outcome[Unwrapped]) -> Answer:
    payload = outcome.result.payload
    try:
        data = _parts(payload).get("data")
    except msgspec.MsgspecError:
        raise InvalidValue("what was wrapped is no JSON object; no answer of this API can hold it") from None
    # An answer that another API wrapped may say what it says elsewhere; it is gone now, so none of it may be lost.
    return Answer(Content(data if data is not None and _is_object(data) else msgspec.Raw(payload)))


ROUTES = (
    Route(
        method="POST", pattern="wrapping/wrap", summary="Keep a JSON object under a wrapping token.", status=201,
        request=WrapRequest, decode=decode_wrap, response=IssuedWrapping,
        operation=_wrap, wrap=_kept, answer=_issued_answer,
    ),
    Route(
        method="POST", pattern="wrapping/lookup", changes=False, anonymous=True, request=WrappingToken,
        response=Wrapping,
        summary="Where does it come from, and how long is it kept? Uses nothing up.",
        operation=lambda call: LookupWrapping(token=call.body.token), answer=_info_answer,
    ),
    Route(
        method="POST", pattern="wrapping/unwrap", anonymous=True, response=Content,
        request=WrappingToken, errors=(PermissionDenied,),
        summary="What is kept under a wrapping token, once. The token is all it needs; a credential is looked at too.",
        operation=_unwrap, answer=_content_answer,
    ),
    Route(
        method="POST", pattern="wrapping/rewrap", status=201, request=WrappingToken, response=IssuedWrapping,
        summary="Keep the same under a new wrapping token, for as long again; the old one ends.",
        operation=lambda call: Rewrap(token=call.body.token), answer=_issued_answer,
    ),
)  # fmt: skip
