"""The report says what was declared and what was found; nothing that failed looks as if it passed."""

from __future__ import annotations

import json

import pytest

AUTHOR = '''
import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate_conformance.selection import needs, reaches


@pytest.fixture
def stuck():
    yield
    assert False


class Promises:
    """What is promised | is held."""

    def test_kept(self): pass

    def test_broken(self): assert False

    @needs("write")
    def test_not_declared(self): pass

    @reaches("networked")
    def test_that_needs_a_network(self): pass

    def test_that_cannot_begin(self, missing): pass

    def test_that_cannot_end(self, stuck): pass


class Failing:
    """What fails is said to fail."""

    @reaches("networked")
    def test_away(self): pass

    @needs("write")
    @reaches("networked")
    def test_a_write(self): pass


class Listing:
    """Names are told."""

    @needs("write")
    def test_names(self): pass


class TestStore(Promises, Failing, Listing):
    capabilities = Capabilities(list=True, labels=True)
    notes = {"labels": "kept in the name"}


def test_of_something_else(): pass
'''


def test_json_holds_every_count(pytester: pytest.Pytester) -> None:
    """Passed, failed (a fixture's failure too), not run and not declared, by backend and promise."""
    pytester.makepyfile(AUTHOR)
    pytester.inline_run("-p", "no:cacheprovider", "-q", "--wardgate-report", "out.json")
    found = json.loads((pytester.path / "out.json").read_text())
    assert found["promises"]["Promises"] == "What is promised | is held."
    assert found["backends"]["Store"]["promises"]["Promises"] == {
        "passed": 1, "failed": 3, "skipped": 0, "not run": 1, "not declared": 1,
    }  # fmt: skip
    assert found["backends"]["Store"]["promises"]["Failing"] == {
        "passed": 0, "failed": 0, "skipped": 0, "not run": 1, "not declared": 1,
    }  # fmt: skip
    told = found["backends"]["Store"]["capabilities"]
    assert (told["list"], told["labels"], told["write"], told["page_size"]) == ("yes", "yes", "no", "1000")


def test_markdown_is_a_table(pytester: pytest.Pytester) -> None:
    """One column a backend; a bar in a sentence does not break the row; what was not run says so."""
    pytester.makepyfile(AUTHOR)
    pytester.inline_run("-p", "no:cacheprovider", "-q", "--wardgate-report", "out.md")
    lines = (pytester.path / "out.md").read_text().splitlines()
    assert "| Capability | Store |" in lines
    assert "| write | no |" in lines
    assert "| Promises: What is promised \\| is held. | 1 / 3, 1 not run |" in lines
    assert "| Failing: What fails is said to fail. | not run |" in lines
    assert "| Listing: Names are told. | not declared |" in lines


@pytest.mark.parametrize(
    ("path", "said"), [("nowhere/out.md", "no such folder"), ("out.txt", "ends in .json or in .md")]
)
def test_a_place_that_cannot_hold_a_report_is_refused(pytester: pytest.Pytester, path: str, said: str) -> None:
    """Before anything is run, which takes minutes."""
    pytester.makepyfile(AUTHOR)
    result = pytester.runpytest_subprocess("-n0", "--wardgate-report", path)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()


def test_no_report_is_written_from_several_processes(pytester: pytest.Pytester) -> None:
    """It would miss what the workers left out, so it is refused."""
    pytester.makepyfile(AUTHOR)
    result = pytester.runpytest_subprocess("-n1", "--wardgate-report", "out.md")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
