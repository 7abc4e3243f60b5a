"""The suite over a backend that can do everything, and over its twin whose secrets go as a whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

import pytest
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Gone, SecretNotFound
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Value
from wardgate_conformance.harness import Harness
from wardgate_conformance.reference import EVERYTHING, Reference, Store, WholeReference
from wardgate_conformance.suite import BackendConformance

ENOUGH = 120


class ReferenceHarness(Harness):
    """Another handle on the same store."""

    kind: type[Reference] = Reference

    def __init__(self) -> None:
        self._store = Store()

    def open(self) -> Reference:
        return self.kind(self._store)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        await Reference(self._store).write(path, Value(json.dumps(fields).encode(), JSON))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            fields: dict[str, str] = json.loads((await Reference(self._store).read(path)).value.data)
        except (SecretNotFound, Gone):
            return None
        return fields


class WholeHarness(ReferenceHarness):
    """The twin."""

    kind = WholeReference


class TestReference(BackendConformance):
    """Every case but those for what is not declared."""

    capabilities = Reference.capabilities

    @pytest.fixture
    def harness(self) -> ReferenceHarness:
        return ReferenceHarness()


class TestWholeReference(BackendConformance):
    """Those of whole secrets."""

    capabilities = WholeReference.capabilities

    @pytest.fixture
    def harness(self) -> WholeHarness:
        return WholeHarness()


def test_everything_is_everything() -> None:
    """A capability that is added one day is declared here too, and so has its cases."""
    booleans = [each.name for each in dataclasses.fields(Capabilities) if isinstance(each.default, bool)]
    assert all(getattr(EVERYTHING, name) for name in booleans)


COUNTED = """
from wardgate_conformance.reference import Reference
from wardgate_conformance.suite import BackendConformance


class TestCounted(BackendConformance):
    capabilities = Reference.capabilities
"""


def test_the_suite_has_cases_enough(pytester: pytest.Pytester) -> None:
    """A store that declares everything is asked more than a handful of questions."""
    pytester.makepyfile(COUNTED)
    result = pytester.runpytest("-p", "no:cacheprovider", "-q", "--collect-only")
    assert sum("::TestCounted::" in line for line in result.outlines) >= ENOUGH
