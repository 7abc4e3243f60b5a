"""One description of a plugin's options serves checks, redaction and help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import REDACTED, describe, option, parse, redact


@dataclass(frozen=True)
class Options:
    address: str = option(help="URL of the server")
    mode: Literal["fast", "safe"] = option(help="how", default="safe")
    timeout: float = option(help="seconds", default=5.0)
    token: str | None = option(help="a token", default=None, secret=True)


GOOD = {"address": "http://127.0.0.1", "token": "canary"}


def test_options_are_built_from_what_was_given_and_defaults() -> None:
    """What is not given takes its default."""
    assert Options("http://127.0.0.1", "safe", 5.0, "canary") == parse(Options, GOOD, of="mount x/")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"adress": "x"}, "mount x/: unknown option 'adress'; did you mean 'address'?"),
        ({}, "mount x/: option 'address' is missing: URL of the server"),
        ({"address": 1}, "mount x/: option 'address' must be text"),
        ({"address": "x", "timeout": True}, "mount x/: option 'timeout' must be a number"),
        ({"address": "x", "mode": "slow"}, "mount x/: option 'mode' must be 'fast' or 'safe'"),
        ({"address": "x", "token": 12345}, "mount x/: option 'token' must be text"),
    ],
)
def test_a_wrong_option_is_named_and_its_value_is_not(given: dict[str, object], message: str) -> None:
    """The message says which option, and what to do; it quotes no value."""
    with pytest.raises(InvalidValue) as caught:
        parse(Options, given, of="mount x/")
    assert message == caught.value.message


def test_secrets_do_not_show() -> None:
    """Neither in a repr nor in what is shown to people."""
    assert "canary" not in repr(parse(Options, GOOD, of="x"))
    assert {"address": "http://127.0.0.1", "token": REDACTED} == redact(Options, GOOD)


def test_the_description_says_what_people_need() -> None:
    """Name, type in words, whether it is required or a secret, and help."""
    shown = [(o.name, o.type, o.required, o.secret) for o in describe(Options)]
    assert [
        ("address", "text", True, False),
        ("mode", "'fast' or 'safe'", False, False),
        ("timeout", "a number", False, False),
        ("token", "text", False, True),
    ] == shown
