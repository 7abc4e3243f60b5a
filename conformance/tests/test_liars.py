"""The suite is held to the truth too: liars, each breaking one promise, of which it must catch exactly that one."""

from __future__ import annotations

import textwrap

import pytest

LIARS = {
    "a copy of what was read is served until the backend itself writes": (
        """
        def __init__(self, folder):
            super().__init__(folder)
            self.kept = {}

        async def read(self, path, *, version=None):
            if version is not None:
                return await super().read(path, version=version)
            if path not in self.kept:
                self.kept[path] = await super().read(path)
            return self.kept[path]

        async def write(self, path, value, *, expect=None):
            self.kept.pop(path, None)
            return await super().write(path, value, expect=expect)

        async def delete(self, path, *, versions=None):
            self.kept.pop(path, None)
            await super().delete(path, versions=versions)
        """,
        "test_a_change_behind_the_backend_is_seen_at_once",
    ),
    "what was never written is answered with an empty value": (
        """
        async def read(self, path, *, version=None):
            if version is None and not any(self._folder.iterdir()) and path.segments:
                return SecretVersion(info=VersionInfo(id="0"), value=Value(b""))
            return await super().read(path, version=version)
        """,
        "test_a_missing_secret_is_not_found",
    ),
    "an error quotes the value": (
        """
        async def write(self, path, value, *, expect=None):
            if expect is not None and value.data.startswith(b'{"canary'):
                raise Unsupported("cannot compare and set " + value.data.decode())
            return await super().write(path, value, expect=expect)
        """,
        "test_no_error_and_no_log_holds_a_value",
    ),
    "something is done that is not declared": (
        """
        async def delete(self, path, *, versions=None):
            await super().delete(path)
        """,
        "test_what_is_not_declared_is_refused[delete_versions]",
    ),
    "what is no text is cut where a text may be longer": (
        """
        capabilities = replace(OddBackend.capabilities, max_value_bytes=1_000, max_text_bytes=2_000)

        async def write(self, path, value, *, expect=None):
            if value.text() is None:
                value = Value(value.data[:1_000], value.media_type)
            return await super().write(path, value, expect=expect)
        """,
        "test_what_is_larger_than_declared_is_refused_or_whole",
    ),
    "an argument that is not declared is not looked at": (
        """
        capabilities = replace(OddBackend.capabilities, versions=False)

        async def read(self, path, *, version=None):
            return await super().read(path)
        """,
        "test_what_is_not_declared_is_refused[versions]",
    ),
}
AUTHOR = """
import json
from dataclasses import replace

import pytest
from wardgate_conformance.harness import Harness
from wardgate_conformance.odd import OddBackend
from wardgate_conformance.suite import BackendConformance
from wardgate.spi.errors import SecretNotFound, Unsupported
from wardgate.spi.values import SecretVersion, Value, VersionInfo


class Liar(OddBackend):
    {lie}


class LiarHarness(Harness):
    def __init__(self, folder):
        self.folder = folder

    def open(self):
        return Liar(self.folder)

    async def put(self, path, fields):
        await OddBackend(self.folder).write(path, Value(json.dumps(fields).encode()))

    async def get(self, path):
        try:
            return json.loads((await OddBackend(self.folder).read(path)).value.data)
        except SecretNotFound:
            return None


class TestLiar(BackendConformance):
    capabilities = Liar.capabilities

    @pytest.fixture
    def harness(self, tmp_path):
        return LiarHarness(tmp_path)
"""


def failing_cases(pytester: pytest.Pytester, lie: str) -> set[str]:
    """The suite run over one liar: the names of the cases that failed."""
    pytester.makepyfile(AUTHOR.format(lie=textwrap.indent(textwrap.dedent(lie), "    ").strip()))
    reports = pytester.inline_run("-p", "no:cacheprovider", "-q").getfailures()
    return {report.nodeid.split("::")[-1] for report in reports}


@pytest.mark.parametrize("liar", LIARS)
def test_a_liar_is_caught_by_the_case_of_its_promise(pytester: pytest.Pytester, liar: str) -> None:
    """That case fails, and no other: a red light says which promise was broken."""
    lie, case = LIARS[liar]
    assert {case} == failing_cases(pytester, lie)
