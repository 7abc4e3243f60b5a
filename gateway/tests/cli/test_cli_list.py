"""``list -r`` over all mounts: one that cannot be listed hides no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from click.testing import Result
from wardgate.spi.errors import PermissionDenied, RateLimited, Unavailable, Unsupported, WardgateError
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

from tests.support.scripted import Scripted

Run = Callable[..., Result]
MOUNTS = tuple(MountInfo(at, Path((at,)), "native", {}, {}, 0) for at in ("a", "b", "c"))
DENIED = PermissionDenied("no policy of this token allows it")
DOWN = Unavailable("mount b/: the store is down")


def scans(gateway: Scripted, answers: Sequence[Page | WardgateError]) -> None:
    """Script the mounts, and what the scan of each ends in."""
    rest = iter(answers)

    def answer() -> Page:
        found = next(rest)
        if isinstance(found, WardgateError):
            raise found
        return found

    gateway.answers |= {ListVisibleMounts: MOUNTS, ScanSecrets: answer}


ONE = Page((Entry("x"),))


@pytest.mark.parametrize("refusal", [DENIED, Unsupported("mount b/: its store lists nothing")])
def test_a_mount_that_may_not_be_listed_is_left_out(gateway: Scripted, run: Run, refusal: WardgateError) -> None:
    """With a line on stderr; the others are listed, and the end is good."""
    scans(gateway, [ONE, refusal, ONE])
    result = run("list", "-r")
    assert (0, ["a/x", "c/x"]) == (result.exit_code, result.stdout.splitlines())
    assert f"b/ is left out: {refusal.message}\n" == result.stderr


@pytest.mark.parametrize(
    ("failure", "code"), [(DOWN, 6), (PermissionDenied("mount b/: the store refuses its credential"), 4)]
)
def test_a_store_that_fails_is_named_after_the_others(
    gateway: Scripted, run: Run, failure: WardgateError, code: int
) -> None:
    """And the end is not good: what is missing is nobody's policy."""
    scans(gateway, [ONE, failure, ONE])
    result = run("list", "-r")
    assert (code, ["a/x", "c/x"]) == (result.exit_code, result.stdout.splitlines())
    assert f"Error: {failure.message}\n" in result.stderr


def test_all_stores_that_fail_are_named(gateway: Scripted, run: Run) -> None:
    """Where nothing at all could be listed, nobody is told that there is nothing."""
    scans(gateway, [Unavailable("mount a/: down"), DOWN, DENIED])
    result = run("list", "-r")
    assert (6, "") == (result.exit_code, result.stdout)
    assert "Error: mount a/: down; mount b/: the store is down\n" in result.stderr
    assert "nothing here" not in result.stderr


def test_for_machines_it_is_one_document_still(gateway: Scripted, run: Run) -> None:
    """With what was listed; the failure is JSON on stderr."""
    scans(gateway, [ONE, DOWN, ONE])
    result = run("list", "-r", "--json")
    assert 6 == result.exit_code
    assert ["a/x", "c/x"] == [entry["name"] for entry in json.loads(result.stdout)["entries"]]
    assert "unavailable" == json.loads(result.stderr)["error"]["code"]


@pytest.mark.parametrize(("path", "code"), [((), 6), (("b",), 4)])
def test_what_is_of_no_one_mount_or_of_the_one_named_ends_it(
    gateway: Scripted, run: Run, path: tuple[str, ...], code: int
) -> None:
    """A gateway that says no to everything is not asked again for each mount."""
    refusal = DENIED if path else RateLimited("too many requests")
    scans(gateway, [refusal, ONE, ONE])
    result = run("list", "-r", *path)
    assert (code, "") == (result.exit_code, result.stdout)
    assert refusal.message in result.stderr
