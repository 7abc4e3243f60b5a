"""Reads the text of a Vault policy, HCL or JSON: path blocks of plain values, nothing evaluated, all bounded."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed

MAX_TEXT = 64 * 1024
MAX_STANZAS = 250
MAX_LIST = 64
CAPABILITIES = frozenset({"create", "read", "update", "patch", "delete", "list", "scan", "sudo", "deny"})
_NARROWING = {
    "allowed_parameters", "denied_parameters", "required_parameters", "min_wrapping_ttl", "max_wrapping_ttl",
    "mfa_methods", "control_group", "pagination_limit", "expiration", "list_scan_response_keys_filter_path",
    "subscribe_event_types",
}  # fmt: skip
"""What narrows a path in ways that rules cannot say."""
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
      | (?P<number>-?\d{1,18}(?:\.\d{1,18})?)
      | (?P<mark>[{}\[\],=])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r'\\(["\\nt])|\\')
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Stanza:
    """One path and what may be done there; ``path`` as it was written, without a slash in front."""

    path: str
    capabilities: frozenset[str]


def parse(text: str) -> tuple[Stanza, ...]:
    """The stanzas of a policy; those of one path are merged, as Vault merges them.

    Raises:
        InvalidValue: what cannot be read, or cannot be said in rules; one sentence names it.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT:
        raise InvalidValue(f"the policy is longer than {MAX_TEXT} bytes; split it")
    blocks = _json(text) if text.lstrip().startswith("{") else _hcl(text)
    merged: dict[str, frozenset[str]] = {}
    for path, fields in blocks:
        plain = path.removeprefix("/")
        merged[plain] = merged.get(plain, frozenset()) | _capabilities(path, fields)
        if len(merged) > MAX_STANZAS:
            raise InvalidValue(f"the policy has more than {MAX_STANZAS} paths; split it")
    return tuple(
        Stanza(path, frozenset({"deny"}) if "deny" in capabilities else capabilities)
        for path, capabilities in merged.items()
    )


def decoded(given: str) -> str:
    """The policy as it was meant: some clients send it in base64."""
    try:
        return base64.b64decode(given, validate=True).decode("utf-8", "strict")
    except (binascii.Error, ValueError):
        return given


def _capabilities(path: str, fields: Mapping[str, Any]) -> frozenset[str]:
    for key in fields:
        if key in _NARROWING:
            raise InvalidValue(f'path "{path[:200]}": {key} cannot be said in rules; leave it out, or keep it in Vault')
        if key == "policy":
            raise InvalidValue(f'path "{path[:200]}": policy = … is of old; write capabilities')
        if key not in {"capabilities", "comment"}:
            raise InvalidValue(f'path "{path[:200]}": invalid key "{key[:80]}"')
    given = fields.get("capabilities", [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidValue(f'path "{path[:200]}": capabilities must be a list of texts')
    for one in given:
        if one not in CAPABILITIES:
            raise InvalidValue(f'path "{path[:200]}": invalid capability "{one[:80]}"')
    return frozenset(given)


def _json(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        document = strict_json.loads(text.encode())
    except (Malformed, UnicodeEncodeError):
        raise InvalidValue("the policy is no JSON that can be read") from None
    if not isinstance(document, dict):
        raise InvalidValue("the policy must be an object")
    for key, paths in document.items():
        if key == "name":
            continue
        if key != "path":
            raise InvalidValue(f'invalid key "{key[:80]}"')
        for blocks in paths if isinstance(paths, list) else [paths]:
            if not isinstance(blocks, dict):
                raise InvalidValue("path must hold an object of paths")
            for path, fields in blocks.items():
                if not isinstance(fields, dict):
                    raise InvalidValue(f'path "{path[:200]}": it must be an object')
                yield path, fields


def _hcl(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = _Reader(text)
    while reader.kind:
        key = reader.name()
        if key == "name":
            reader.expect("=")
            reader.text()
        elif key == "path":
            path = reader.text()
            if reader.token == "=":  # noqa: S105  # a mark of the language
                reader.expect("=")
            yield path, reader.block()
        else:
            reader.fail(f'invalid key "{key[:80]}"')


class _Reader:
    """Walks over the tokens of HCL. ``kind`` and ``token`` are the next one's; both empty at the end."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._position = 0
        self.kind = ""
        self.token = ""
        self._next()

    def fail(self, why: str) -> NoReturn:
        line = self._source.count("\n", 0, self._position) + 1
        raise InvalidValue(f"line {line}: {why}")

    def expect(self, mark: str) -> None:
        if self.token != mark or self.kind != "mark":
            self.fail(f"expected {mark!r}")
        self._next()

    def name(self) -> str:
        """A key, quoted or not."""
        if self.kind == "text":
            return self.text()
        if self.kind != "word":
            self.fail("expected a key")
        word = self.token
        self._next()
        return word

    def text(self) -> str:
        if self.kind != "text":
            self.fail('expected a text in "quotes"')
        inner = self.token[1:-1]
        if "${" in inner:
            self.fail("expressions are not evaluated; write plain texts")

        def plain(found: re.Match[str]) -> str:
            if found[1] is None:
                self.fail("unknown escape in a text")
            return _ESCAPED[found[1]]

        value = _ESCAPE.sub(plain, inner)
        self._next()
        return value

    def block(self) -> dict[str, Any]:
        """``{ key = value … }``."""
        self.expect("{")
        fields: dict[str, Any] = {}
        while self.token != "}" or self.kind != "mark":  # noqa: S105  # a mark of the language
            key = self.name()
            if key in fields:
                self.fail(f'the key "{key[:80]}" stands twice')
            if self.token == "{" and self.kind == "mark":  # noqa: S105  # a mark of the language
                fields[key] = None
                self._skip_block()
            else:
                self.expect("=")
                fields[key] = self._value()
            if self.token == "," and self.kind == "mark":  # noqa: S105  # a mark of the language
                self._next()
        self.expect("}")
        return fields

    def _value(self) -> Any:
        if self.kind == "text":
            return self.text()
        if self.kind in {"number", "word"}:
            token = self.token
            self._next()
            return token if token not in {"true", "false"} else token == "true"  # noqa: S105  # a word of the language
        if self.token == "{":  # noqa: S105  # a mark of the language
            self._skip_block()
            return None
        return self._list()

    def _list(self) -> list[Any]:
        self.expect("[")
        values: list[Any] = []
        while self.token != "]" or self.kind != "mark":  # noqa: S105  # a mark of the language
            if len(values) >= MAX_LIST:
                self.fail(f"a list has more than {MAX_LIST} entries")
            values.append(self.text())
            if self.token == ",":  # noqa: S105  # a mark of the language
                self.expect(",")
            elif self.token != "]":  # noqa: S105  # a mark of the language
                self.fail("expected ',' or ']'")
        self.expect("]")
        return values

    def _skip_block(self) -> None:
        """An object: all that can be one is refused by its key, so that what is in it does not matter."""
        depth = 0
        while True:
            if not self.kind:
                self.fail("a '}' is missing")
            if self.kind == "mark":
                depth += {"{": 1, "}": -1}.get(self.token, 0)
            self._next()
            if depth == 0:
                return

    def _next(self) -> None:
        while True:
            if self._position >= len(self._source):
                self.kind = self.token = ""
                return
            found = _TOKEN.match(self._source, self._position)
            if found is None:
                self.fail("this cannot be read")
            self._position = found.end()
            if found.lastgroup != "blank":
                self.kind, self.token = str(found.lastgroup), found[0]
                return
