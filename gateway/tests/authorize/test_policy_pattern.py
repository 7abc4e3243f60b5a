"""Patterns, one property each."""

from __future__ import annotations

import pytest
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.spi.errors import InvalidValue


def covers(pattern: str, *segments: str, folder: bool = False) -> bool:
    return Pattern.parse(pattern).matches(Target(segments, folder))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a", False),
        ("a/b", "a/b/c", False),
        ("a/*", "a/b", True),
        ("a/*", "a", False),
        ("a/*", "a/b/c", False),
        ("*/b", "a/b", True),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/x/c", False),
        ("a/team-*", "a/team-x", True),
        ("a/team-*", "a/team-", True),
        ("a/team-*", "a/team", False),
        ("a/team-*", "a/team-x/y", False),
        ("a/*-x", "a/b-x", True),
        ("a/*-x", "a/b-xx", False),
        ("a/x*z", "a/xyz", True),
        ("a/x*z", "a/xz", True),
        ("a/x*x", "a/x", False),
        ("a/**", "a/b", True),
        ("a/**", "a/b/c/d", True),
        ("a/**", "a", False),
        ("a/**", "ab/c", False),
        ("**", "a", True),
        ("*/**", "a/b", True),
        ("*/**", "a", False),
    ],
)
def test_a_pattern_covers_a_secret(pattern: str, path: str, expected: bool) -> None:  # noqa: FBT001
    """Each segment is compared by itself, and the number of segments counts."""
    assert expected == covers(pattern, *path.split("/"))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a/private/**", "a/private", True),
        ("a/private/**", "a/private/x", True),
        ("a/private/**", "a", False),
        ("a/*/**", "a/b", True),
        ("a/*", "a/b", True),
        ("a/*", "a", False),
        ("a", "a", True),
    ],
)
def test_a_pattern_covers_a_folder(pattern: str, path: str, expected: bool) -> None:  # noqa: FBT001
    """``**`` covers the folder it stands in, so that a rule for a folder is a rule for its listing."""
    assert expected == covers(pattern, *path.split("/"), folder=True)


def test_everything_covers_the_root_folder_and_no_secret_there() -> None:
    """The root is a folder; there is no secret without a name."""
    assert [True, False] == [covers("**", folder=True), covers("**")]


@pytest.mark.parametrize("segment", ["*", "**", "team-*", "[a]", "?", ".*", "a|b", "$", "(", "%2a"])
def test_a_wildcard_in_a_path_is_a_letter(segment: str) -> None:
    """Nothing a caller sends is a pattern: it equals no literal, and a star covers it like any other segment."""
    assert [False, True] == [covers("a/literal", "a", segment), covers("a/*", "a", segment)]


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    """No part of a pattern is ever a regular expression."""
    assert [True, False] == [covers("a/b.c", "a", "b.c"), covers("a/b.c", "a", "bxc")]


@pytest.mark.parametrize(
    "pattern",
    [
        "", "/", "/a", "a/", "a//b", "a/../b", "a/./b", "**/a", "a/**/b", "a/***", "a/b*c*", "a/x**", "a\nb", "a\\b",
        "a/ b", "a/b ", "e\u0301", "a/\ufffd", "\ud800", "a/" * 32 + "a", "x" * 256,
    ],
)  # fmt: skip
def test_a_pattern_outside_the_grammar_is_refused(pattern: str) -> None:
    """A pattern no path can ever equal would be a rule that silently means nothing."""
    with pytest.raises(InvalidValue, match="pattern"):
        Pattern.parse(pattern)
