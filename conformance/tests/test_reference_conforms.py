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
from wardgate_conformance.reference import Reference, Store, WholeReference
from wardgate_conformance.suite import BackendConformance


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

    def pass_time(self, nanoseconds: int) -> None:
        """The clock is the machine's, so the ends come nearer."""
        for secret in self._store.secrets.values():
            for version, info in secret.versions.items():
                if info.expires_at is not None:
                    secret.versions[version] = dataclasses.replace(info, expires_at=info.expires_at - nanoseconds)


class WholeHarness(ReferenceHarness):
    """The twin."""

    kind = WholeReference


class TestReference(BackendConformance):
    """Every case but those for what is not declared."""

    capabilities = Reference.capabilities
    passes_time = True

    @pytest.fixture
    def harness(self) -> ReferenceHarness:
        return ReferenceHarness()


class TestWholeReference(BackendConformance):
    """Those of whole secrets."""

    capabilities = WholeReference.capabilities
    passes_time = True

    @pytest.fixture
    def harness(self) -> WholeHarness:
        return WholeHarness()


def test_every_capability_has_a_case() -> None:
    """A capability that no case asks for could be declared by any store."""
    asked = {
        name
        for family in BackendConformance.__mro__
        for case in vars(family).values()
        for mark in getattr(case, "pytestmark", ())
        if mark.name == "conformance_needs"
        for name in mark.args
    }
    capabilities = {each.name for each in dataclasses.fields(Capabilities) if isinstance(each.default, bool)}
    assert capabilities - asked == set()
