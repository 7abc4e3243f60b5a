"""What every front-end over HTTP reads and answers alike."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from wardgate.spi import http
from wardgate.spi.errors import Malformed, PermissionDenied, WardgateError
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Operation, Rejected

Message = MutableMapping[str, Any]


def test_a_header_that_must_stand_once_is_refused_twice() -> None:
    """Even with equal values; of others the last one holds."""
    twice = [(b"x-token", b"a"), (b"accept", b"1"), (b"accept", b"2"), (b"x-token", b"a")]
    with pytest.raises(Malformed, match="x-token stands twice"):
        http.by_name(twice, {b"x-token"})
    assert {b"x-token": b"a", b"accept": b"2"} == http.by_name(twice[:3], {b"x-token"})
    assert {b"x-token": b"a", b"accept": b"2"} == http.by_name(twice, set())


@pytest.mark.parametrize(
    ("authorization", "token"),
    [
        ("Bearer abc", "abc"),
        ("bEARER  abc ", "abc"),
        ("Bearer ", ""),
        ("Bearer", None),
        ("Basic abc", None),
        ("Bearer\tabc", None),
        ("", None),
    ],
)
def test_a_bearer_s_token_is_told_from_another_scheme(authorization: str, token: str | None) -> None:
    """The scheme's letters in either case, one space after it, and nothing around the token."""
    assert token == http.bearer(authorization)


@pytest.mark.parametrize(
    ("bare", "authorization", "token"),
    [
        ("", "", None), ("", "Bearer a", "a"), (" a ", "", "a"), ("a", "Bearer a", "a"), ("a", "Bearer ", "a"),
        ("a", "Basic b", "a"), (" ", "Bearer ", None),
    ],
)  # fmt: skip
def test_a_token_comes_in_either_header(bare: str, authorization: str, token: str | None) -> None:
    """An empty one is none, and another scheme's is not ours."""
    assert (Credential("token", token) if token else None) == http.credential(bare, authorization)


def test_two_different_tokens_are_refused() -> None:
    """Whoever stands in between may have looked at the other one."""
    with pytest.raises(Malformed, match="hold different tokens"):
        http.credential("a", "Bearer b")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (b"", ""), (b"/", ""), (b"//", ""), (b"team", "team"), (b"/team/", "team"), (b"a/b/", "a/b"),
        (b"root", "root"), ("caf\u00e9".encode(), "caf\u00e9"),
    ],
)  # fmt: skip
def test_a_namespace_s_header_becomes_its_path(given: bytes, path: str) -> None:
    """Without the slash that clients write before or after it."""
    assert path == http.namespace(given)


@pytest.mark.parametrize("given", [b"///", b"//team//", b"a//b", b"a/../b", b"\xff", b" a", b"a//"])
def test_a_namespace_that_is_no_path_is_refused(given: bytes) -> None:
    """The same everywhere: none of it is read away."""
    with pytest.raises(Malformed):
        http.namespace(given)


def test_a_body_is_whole_or_malformed() -> None:
    """However many pieces it comes in; a caller that goes away amid it asked for nothing."""

    def read(*messages: Message) -> bytes:
        left = list(messages)

        async def receive() -> Message:
            return left.pop(0)

        return asyncio.run(http.body(receive))

    begun: Message = {"type": "http.request", "body": b"ab", "more_body": True}
    assert read(begun, {"type": "http.request", "body": b"c"}) == b"abc"
    with pytest.raises(Malformed):
        read(begun, {"type": "http.disconnect"})


@pytest.mark.parametrize("raised", [None, PermissionDenied()], ids=["nothing", "a denial"])
def test_what_the_road_has_against_the_caller_comes_first(raised: WardgateError | None) -> None:
    """Where it raises what it was given, it has nothing against him."""
    rejected = Rejected(error=Malformed("no"))

    async def perform(operation: Operation[Any]) -> None:
        assert operation is rejected
        raise raised or rejected.error

    assert raised is asyncio.run(http.refuse(perform, rejected))


@pytest.mark.parametrize(
    ("content", "head", "headers", "sent"),
    [
        (b"abc", False, [(b"a", b"b"), (b"content-length", b"3")], b"abc"),
        (b"abc", True, [(b"a", b"b"), (b"content-length", b"3")], b""),
        (b"", False, [(b"a", b"b"), (b"content-length", b"0")], b""),
        (None, False, [(b"a", b"b")], b""),
    ],
)
def test_an_answer_says_how_long_it_is(
    content: bytes | None, *, head: bool, headers: list[tuple[bytes, bytes]], sent: bytes
) -> None:
    """To a HEAD too, which gets no bytes; where there is no content it has no length."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(http.answer(send, 200, ((b"a", b"b"),), content, head=head))
    start, rest = messages
    assert (200, headers) == (start["status"], list(start["headers"]))
    assert (sent, False) == (rest["body"], rest.get("more_body", False))
