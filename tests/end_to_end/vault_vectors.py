"""Wire vectors of the Vault API: one readable file a scenario, replayed against anything that speaks HTTP.

A vector is a TOML file::

    why = "what client depends on this"
    vault = "same"                  # or "differs: …", or "not asked: …" for what no Vault server can be asked
    needs = ["versions"]            # capabilities of the mount's backend; without them the vector does not apply
    lacks = ["undelete"]            # and those it must not have: the vector shows the refusal
    kv = 1                          # of a mount shown as version 1; left out: 2
    namespace = true                # in a child namespace; left out: in the root

    [[step]]
    request = "GET /v1/$mount/data/$path?version=2"
    token = ""                      # left out: an administrator's
    headers = { X-Vault-Namespace = "a" }
    body = '{"data": {"k": "v"}}'
    status = 200
    answer = '{"data": {"k": "v"}}'
    save = { token = "auth.client_token" }

``$mount`` is the mount's prefix and ``$path`` a path that no other replay uses; what ``save`` took from an answer is
``$name`` in the steps that follow. In a child namespace ``$namespace`` is its path, the administrator is its own,
``$root_token`` one of the root's, and there is a mount of that prefix in both. In ``answer``, ``<uuid>``, ``<time>``,
``<text>``, ``<number>`` and ``<any>`` stand for what changes, a text that ends in ``<why>`` may go on with a store's
own reason, and the key ``...`` says that an object may hold more. Without ``answer`` the body is empty.
"""

from __future__ import annotations

import http.client
import json
import re
import string
import tomllib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wardgate.spi.capabilities import Capabilities

FOLDER = Path(__file__).parents[2] / "plugins" / "vault" / "vectors"
SAME = "same"
MORE = "..."
WHY = "<why>"
SECONDS = 30.0
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z")
_PLACEHOLDERS: Mapping[str, Callable[[Any], bool]] = {
    "<any>": lambda _: True,
    "<text>": lambda actual: isinstance(actual, str) and bool(actual),
    "<number>": lambda actual: isinstance(actual, int) and not isinstance(actual, bool),
    "<uuid>": lambda actual: isinstance(actual, str) and bool(_UUID.fullmatch(actual)),
    "<time>": lambda actual: isinstance(actual, str) and bool(_TIME.fullmatch(actual)),
}


@dataclass(frozen=True)
class Response:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Send = Callable[[str, str, Mapping[str, str], bytes], Response]
"""Method, target, headers and body to a response."""


@dataclass(frozen=True)
class Step:
    """One request and what must come back."""

    request: str
    status: int
    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    answer: str = ""
    save: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Vector:
    """One scenario."""

    name: str
    why: str
    vault: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    kv: int = 2
    namespace: bool = False

    @classmethod
    def load(cls, file: Path) -> Vector:
        """Read one file."""
        content = tomllib.loads(file.read_text())
        steps = tuple(Step(**step) for step in content.pop("step"))
        return cls(name=file.stem, steps=steps, **{key: _frozen(value) for key, value in content.items()})

    def applies_to(self, capabilities: Capabilities) -> bool:
        """Whether a backend with these capabilities can show what the vector shows."""
        return all(getattr(capabilities, name) for name in self.needs) and not any(
            getattr(capabilities, name) for name in self.lacks
        )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def vectors() -> tuple[Vector, ...]:
    """All of them, by name."""
    return tuple(Vector.load(file) for file in sorted(FOLDER.glob("*.toml")))


def mount_of(vector: Vector, first: str, second: str) -> str:
    """The prefix to replay a vector at, of a mount shown as version 1 and one shown as version 2."""
    return first if vector.kv == 1 else second


def replay(base_url: str, token: str, vector: Vector, mount: str, **known: str) -> None:
    """Replay a vector over HTTP against the mount of that prefix; raises AssertionError where an answer differs."""
    replay_through(over_http(base_url), token, vector, mount, **known)


def replay_through(send: Send, token: str, vector: Vector, mount: str, **known: str) -> None:
    """Replay a vector through any way to send a request; ``known``: more that its texts may name."""
    known = {"mount": mount, "path": f"vectors-{uuid.uuid4().hex[:12]}", **known}
    for number, step in enumerate(vector.steps, 1):
        where = f"{vector.name}, step {number}: {step.request}"
        method, _, target = _filled(step.request, known).partition(" ")
        asked_as = token if step.token is None else _filled(step.token, known)
        headers = {name: _filled(value, known) for name, value in step.headers.items()}
        if asked_as:
            headers["X-Vault-Token"] = asked_as
        response = send(method, target, headers, _filled(step.body, known).encode())
        text = response.body.decode()
        assert (where, step.status) == (where, response.status), text
        assert response.headers["cache-control"] == "no-store", where
        assert response.headers["content-type"] == "application/json", where
        if not step.answer:
            assert text == "", where
            continue
        assert text, f"{where}: no body"
        expected, actual = json.loads(_filled(step.answer, known)), json.loads(text)
        assert expected == matched(expected, actual), f"{where}: {text}"
        known |= {name: _found(actual, place) for name, place in step.save.items()}


def over_http(base_url: str) -> Send:
    """Send through a fresh connection each time, and follow nothing."""
    address = urlsplit(base_url)

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
        try:
            connection.request(method, target, body or None, dict(headers))
            response = connection.getresponse()
            return Response(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    return send


def matched(expected: Any, actual: Any) -> Any:
    """``actual``, with what an expectation leaves open replaced by the expectation itself."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = expected.keys() if MORE in expected else actual.keys()
        found = {key: matched(expected.get(key), actual[key]) for key in keys if key in actual}
        return {**found, MORE: expected[MORE]} if MORE in expected else found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [matched(*pair) for pair in zip(expected, actual, strict=True)]
    if isinstance(expected, str) and expected in _PLACEHOLDERS and _PLACEHOLDERS[expected](actual):
        return expected
    if isinstance(expected, str) and isinstance(actual, str) and expected.endswith(WHY):
        told = expected.removesuffix(WHY)
        return expected if actual == told or actual.startswith(f"{told}: ") else actual
    return actual


def _filled(text: str, known: Mapping[str, str]) -> str:
    return string.Template(text).safe_substitute(known)


def _found(answer: Any, place: str) -> str:
    for key in place.split("."):
        answer = answer[key]
    return str(answer)
