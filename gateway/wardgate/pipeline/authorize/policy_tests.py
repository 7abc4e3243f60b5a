"""Runs the tests that policies bring along: who, action, path, and what must come out. Needs no gateway.

A test file is TOML. ``load`` names policy documents, relative to it; each ``[[test]]`` is one question::

    load = ["billing.toml"]

    [[test]]
    policies = ["billing"]
    action = "read"
    path = "secret/billing/database"
    expect = "allow"

``folder`` says whether the path names a folder; without it, ``list`` asks of a folder and all else of a secret.
``facts`` is a table of what conditions read; what it leaves out is missing::

    facts = { source = "10.1.2.3", time = 2026-12-24T18:00:00+01:00, method = "approle", labels = { env = "prod" } }
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path as FilePath
from typing import Any, Final

from wardgate.pipeline.authorize.compiled import ALL_ACTIONS, Compiled
from wardgate.pipeline.authorize.decider import Decider
from wardgate.pipeline.authorize.explaining import explanation
from wardgate.pipeline.authorize.pattern import Target
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.networks import is_address
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Explanation, Policy, Supposed
from wardgate.spi.options import nearest
from wardgate.spi.path import Path
from wardgate.spi.policy_document import check_keys, parse_policy, texts

_NAMESPACE: Final = "test"
_FILE_KEYS: Final = ("load", "test")
_TEST_KEYS: Final = ("policies", "action", "path", "folder", "facts", "expect")
_FACT_KEYS: Final = ("id", "name", "method", "role", "attributes", "source", "time", "labels")
_EXPECTATIONS: Final = ("allow", "deny")


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One question of a test file. ``number`` counts from 1 in its file."""

    file: FilePath
    number: int
    policies: tuple[str, ...]
    action: Action
    path: Path
    folder: bool
    supposed: Supposed
    expect: str


@dataclass(frozen=True, slots=True)
class PolicyTestResult:
    """What came out, and by which rule."""

    test: PolicyTest
    explanation: Explanation

    @property
    def passed(self) -> bool:
        """Whether it is what the test expects."""
        return self.explanation.allowed == (self.test.expect == "allow")


def run_tests(files: Iterable[FilePath]) -> tuple[PolicyTestResult, ...]:
    """Run every test of these files, each file against the documents it loads.

    Raises:
        InvalidValue: a file cannot be read, a policy is not valid, or a test is not written rightly.
    """
    decider = Decider()
    return tuple(result for file in files for result in _run_file(file, decider))


def load_policy(file: FilePath) -> Policy:
    """Read a policy document from a TOML file. Raises InvalidValue; whether the policy is valid is not checked."""
    return parse_policy(_read(file))


def _run_file(file: FilePath, decider: Decider) -> Iterable[PolicyTestResult]:
    document = _read(file)
    if "rules" in document:
        raise InvalidValue(f"{file} is a policy; name the file with its tests")
    check_keys(document, _FILE_KEYS, of=str(file))
    tests = document.get("test")
    if not isinstance(tests, list) or not tests:
        raise InvalidValue(f"{file}: there is no [[test]] in it")
    loaded = texts(document.get("load", []), of=f"{file}: 'load'")
    compiled = Compiled(_NAMESPACE, [load_policy(file.parent / name) for name in loaded])
    for number, entry in enumerate(tests, start=1):
        test = _test(file, number, entry, compiled.names)
        target = Target(test.path.segments, test.folder)
        why = explanation(decider, compiled, test.policies, test.action, target, test.supposed)
        yield PolicyTestResult(test, why)


def _test(file: FilePath, number: int, entry: Mapping[str, Any], known: Iterable[str]) -> PolicyTest:
    of = f"{file}, test {number}"
    check_keys(entry, _TEST_KEYS, of=of)
    for key in ("policies", "action", "path", "expect"):
        if key not in entry:
            raise InvalidValue(f"{of}: {key!r} is missing")
    policies = texts(entry["policies"], of=f"{of}: 'policies'")
    for name in policies:
        if name not in known:
            raise InvalidValue(f"{of}: no policy {name!r} is loaded{nearest(name, known)}")
    if entry["action"] not in ALL_ACTIONS:
        raise InvalidValue(f"{of}: unknown action{nearest(str(entry['action']), ALL_ACTIONS)}")
    if entry["expect"] not in _EXPECTATIONS:
        raise InvalidValue(f"{of}: 'expect' must be 'allow' or 'deny'")
    action = Action(entry["action"])
    folder = entry.get("folder", action is Action.LIST)
    if not isinstance(folder, bool):
        raise InvalidValue(f"{of}: 'folder' must be true or false")
    supposed = _supposed(entry.get("facts", {}), f"{of}: 'facts'")
    return PolicyTest(file, number, policies, action, _path(entry["path"], of), folder, supposed, entry["expect"])


def _supposed(facts: Mapping[str, Any], of: str) -> Supposed:
    check_keys(facts, _FACT_KEYS, of=of)
    plain = {key: facts.get(key) for key in ("id", "name", "method", "role", "source")}
    for key, value in plain.items():
        if value is not None and not isinstance(value, str):
            raise InvalidValue(f"{of}: {key!r} must be text")
    if plain["source"] is not None and not is_address(plain["source"]):
        raise InvalidValue(f"{of}: 'source' must be an address, such as 10.1.2.3")
    role = plain.pop("role")
    attributes = _named(facts.get("attributes", {}), f"{of}: 'attributes'")
    if role is not None:
        attributes["role"] = role
    labels = _named(facts.get("labels", {}), f"{of}: 'labels'")
    return Supposed(**plain, attributes=attributes, time=_moment(facts.get("time"), of), labels=labels)


def _named(table: object, of: str) -> dict[str, str]:
    if not isinstance(table, Mapping) or not all(isinstance(value, str) for value in table.values()):
        raise InvalidValue(f"{of} must be a table of texts")
    return dict(table)


def _moment(value: object, of: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidValue(f"{of}: 'time' must be a moment with its offset, without quotes: 2026-12-24T18:00:00+01:00")
    return int(value.timestamp()) * 10**9


def _path(text: object, of: str) -> Path:
    if not isinstance(text, str):
        raise InvalidValue(f"{of}: 'path' must be text")
    try:
        return Path.parse(text)
    except Malformed as error:
        raise InvalidValue(f"{of}: {error.message}") from None


def _read(file: FilePath) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise InvalidValue(f"{file}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{file}: is not TOML: {error}") from None
