"""Of a backend that breaks one promise, the suite's cases for that promise fail, and no other."""

from __future__ import annotations

import json
import textwrap

import pytest
from tests.liars import LIARS, REMOTE_LIARS
from wardgate_conformance.suite import BackendConformance, Conformance

IMPORTS = """
import asyncio
import base64
import contextlib
import logging
import time
import unicodedata
from dataclasses import replace
from urllib.parse import quote_plus

import pytest
from wardgate.spi.backend import Health, Permission
from wardgate.spi.errors import *
from wardgate.spi.path import Path, ROOT
from wardgate.spi.values import *
from wardgate_conformance.faults import TRICKLE
from wardgate_conformance.reference import Reference, Store, WholeReference
from wardgate_conformance.suite import BackendConformance
from tests.remote import Remote, RemoteHarness, serving
from tests.test_reference_conforms import ReferenceHarness
"""
IN_MEMORY = """
class Liar({base}):
{lie}


class LiarHarness(ReferenceHarness):
    kind = Liar


class TestLiar(BackendConformance):
    capabilities = Liar.capabilities
    passes_time = True

    @pytest.fixture
    def harness(self):
        return LiarHarness()
"""
ON_A_NETWORK = """
class Liar(Remote):
{lie}


class LiarHarness(RemoteHarness):
    kind = Liar


class TestLiar(BackendConformance):
    capabilities = Remote.capabilities
    networked = True
    throttles = True

    @pytest.fixture
    def harness(self):
        with serving() as server:
            yield LiarHarness(server)
"""


def broken(pytester: pytest.Pytester, author: str) -> set[str]:
    """The suite run over one liar: the promises of which a case failed."""
    pytester.makepyfile(IMPORTS + author)
    pytester.inline_run("-p", "no:cacheprovider", "-q", "--tb=no", "--wardgate-report", "out.json")
    found = json.loads((pytester.path / "out.json").read_text())["backends"]["Liar"]["promises"]
    return {name for name, counts in found.items() if counts["failed"]}


def body(lie: str) -> str:
    return textwrap.indent(textwrap.dedent(lie).strip(), "    ")


@pytest.mark.parametrize(("family", "liar"), [(family, liar) for family, liars in LIARS.items() for liar in liars])
def test_a_liar_is_caught_by_its_promise_alone(pytester: pytest.Pytester, family: str, liar: str) -> None:
    """Cases of that family fail, and none of another: a red light says which promise was broken."""
    base = "WholeReference" if family == "WholeSecret" else "Reference"
    assert {family} == broken(pytester, IN_MEMORY.format(base=base, lie=body(LIARS[family][liar])))


@pytest.mark.parametrize(
    ("family", "liar"), [(family, liar) for family, liars in REMOTE_LIARS.items() for liar in liars]
)
def test_a_liar_on_a_network_is_caught_by_its_promise_alone(pytester: pytest.Pytester, family: str, liar: str) -> None:
    """The same of what only a store that fails, or a caller that goes away, brings to light."""
    assert {family} == broken(pytester, ON_A_NETWORK.format(lie=body(REMOTE_LIARS[family][liar])))


def test_every_promise_has_its_liar() -> None:
    """A family that nothing has ever failed proves nothing."""
    families = {family.__name__ for family in BackendConformance.__bases__ if family is not Conformance}
    assert families == {*LIARS, *REMOTE_LIARS}
