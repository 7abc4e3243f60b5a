"""A liar for each promise: a backend that breaks it alone, of which the suite's cases for that promise alone fail."""

from __future__ import annotations

import json
import textwrap

import pytest

AUTHOR = """
import asyncio
from dataclasses import replace

import pytest
from wardgate.spi.errors import *
from wardgate.spi.path import Path, ROOT
from wardgate.spi.values import *
from wardgate_conformance.reference import Reference, Store, WholeReference
from wardgate_conformance.suite import BackendConformance
from tests.test_reference_conforms import ReferenceHarness
from wardgate_conformance.values import CANARY


class Liar({base}):
{lie}


class LiarHarness(ReferenceHarness):
    kind = Liar


class TestLiar(BackendConformance):
    capabilities = {base}.capabilities

    @pytest.fixture
    def harness(self):
        return LiarHarness()
"""
LIARS = {
    "Declaration": """
        def __init__(self, store):
            super().__init__(store)
            self.capabilities = replace(self.capabilities, page_size=1)
        """,
    "Reading": """
        async def read(self, path, *, version=None):
            found = await super().read(path, version=version)
            return replace(found, info=replace(found.info, ordinal=0))

        async def write(self, path, value, *, expect=None):
            return replace(await super().write(path, value, expect=expect), ordinal=0)
        """,
    "Missing": """
        async def read(self, path, *, version=None):
            if version is not None and path not in self._store.secrets:
                raise VersionNotFound("the secret has no such version")
            return await super().read(path, version=version)
        """,
    "Writing": """
        async def write(self, path, value, *, expect=None):
            if value.media_type == "application/x-pem-file":
                value = Value(value.data, BYTES)
            return await super().write(path, value, expect=expect)
        """,
    "CompareAndSet": """
        async def write(self, path, value, *, expect=None):
            return await super().write(path, value, expect=None if expect and expect.version == "latest" else expect)
        """,
    "Versions": """
        async def move_stage(self, path, stage, *, version):
            if version is not None:
                await super().move_stage(path, stage, version=version)
        """,
    "Listing": """
        async def list(self, folder, *, cursor=None, limit=1_000):
            page = await super().list(folder, cursor=cursor, limit=limit)
            return Page(page.entries) if limit == 1 else page
        """,
    "Annotating": """
        async def annotate(self, path, *, labels=None, settings=None, merge=False):
            await super().annotate(path, labels=labels, settings=settings, merge=False)
        """,
    "Deleting": """
        async def delete(self, path, *, versions=None):
            await super().delete(path, versions=versions or None)
        """,
    "Recovering": """
        async def undelete(self, path, *, versions):
            self._store.secret(path).values.update(dict.fromkeys(versions, Value(b"{}")))
            await super().undelete(path, versions=versions)
        """,
    "WholeSecret": """
        async def write(self, path, value, *, expect=None):
            return await Reference.write(self, path, value, expect=expect)
        """,
    "Destroying": """
        async def destroy(self, path, *, versions=None):
            await super().destroy(path, versions=versions or None)
        """,
    "HostileNames": """
        async def write(self, path, value, *, expect=None):
            folded = Path.parse(str(path).replace("Key", "key"))
            return await super().write(folded, value, expect=expect)
        """,
    "HostileValues": """
        async def write(self, path, value, *, expect=None):
            return await super().write(path, Value(value.data.strip(), value.media_type), expect=expect)
        """,
    "Concurrency": """
        async def write(self, path, value, *, expect=None):
            if expect == Expect(None) and path not in self._store.secrets:
                await asyncio.sleep(0)
                return await super().write(path, value)
            return await super().write(path, value, expect=expect)
        """,
    "Secrecy": """
        async def read(self, path, *, version=None):
            found = await super().read(path, version=version)
            self.last = found.value.data
            return found
        """,
    "Closing": """
        async def health(self):
            raise RuntimeError("no answer")
        """,
}


@pytest.mark.parametrize("family", LIARS)
def test_a_liar_is_caught_by_its_promise_alone(pytester: pytest.Pytester, family: str) -> None:
    """Cases of that family fail, and none of another: a red light says which promise was broken."""
    base = "WholeReference" if family == "WholeSecret" else "Reference"
    lie = textwrap.indent(textwrap.dedent(LIARS[family]).strip(), "    ")
    pytester.makepyfile(AUTHOR.format(base=base, lie=lie))
    pytester.inline_run("-p", "no:cacheprovider", "-q", "--tb=no", "--wardgate-report", "out.json")
    found = json.loads((pytester.path / "out.json").read_text())["backends"]["Liar"]["promises"]
    assert {family} == {name for name, counts in found.items() if counts["failed"]}
