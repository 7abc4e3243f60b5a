"""Names, labels, stages and options."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue, Malformed, TooLarge
from wardgate.spi.options import parse
from wardgate.spi.path import Path
from wardgate_gcp import shapes
from wardgate_gcp.names import NAMES
from wardgate_gcp.options import Options, check, target

SEGMENT = st.text(st.sampled_from("ab-_xX2DF.é/ 😀"), min_size=1, max_size=8)
LABEL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)


@settings(deadline=None)
@given(st.lists(SEGMENT, min_size=1, max_size=4), st.lists(SEGMENT, min_size=1, max_size=4))
def test_two_paths_never_share_a_name(one: list[str], other: list[str]) -> None:
    """A name is one that the service takes, leads back to its path, and to no other."""
    names = []
    for segments in (one, other):
        try:
            path = Path.parse("/".join(segments))
        except Malformed:
            return
        names.append(NAMES.name_of(path))
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", names[-1])
        assert path == NAMES.path_of(names[-1])
    assert (names[0] == names[1]) == ("/".join(one) == "/".join(other))


@settings(deadline=None)
@given(st.text("ab-_x2DF", min_size=1, max_size=12))
def test_a_name_of_others_is_a_path_or_none(name: str) -> None:
    """What has a path is found under it."""
    path = NAMES.path_of(name)
    assert path is None or name == NAMES.name_of(path)


@settings(deadline=None)
@given(st.dictionaries(LABEL, LABEL, max_size=4))
def test_labels_come_back(labels: dict[str, str]) -> None:
    """Under any name; and their keys are what the service takes."""
    held = shapes.to_annotations(labels)
    assert labels == shapes.to_labels(held)
    assert all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key) for key in held)


@pytest.mark.parametrize("key", ["owner", "wg32-", "wg32-mfr", "wg32-!", "wg32-mzxw6"])
def test_annotations_of_others_are_shown(key: str) -> None:
    """Also those that only look escaped."""
    assert len(shapes.to_labels({key: "x"})) == 1


def test_labels_are_bounded() -> None:
    """As the service bounds annotations, before it has to: keys of 63 characters, and less than 16 KiB in all."""
    longest = "k" * 63
    assert {longest: "x"} == shapes.to_annotations({longest: "x"})
    assert len(shapes.to_annotations({"a": "x" * 8_000, "b": "x" * 8_381})) == 2
    with pytest.raises(TooLarge):
        shapes.to_annotations({"a": "x" * 8_000, "b": "x" * 8_382})
    for key in (longest + "k", "é" * 19):
        with pytest.raises(InvalidValue):
            shapes.to_annotations({key: "x"})


def test_an_alias_that_is_named_like_a_place_is_not_believed() -> None:
    """``current`` and ``previous`` follow from the order of the versions, whatever somebody else called them."""
    secret = SimpleNamespace(version_aliases={"current": 1, "previous": 1, "blue": 1})
    known = shapes.Known(secret, tuple(SimpleNamespace(name=f"secrets/s/versions/{number}") for number in (3, 2, 1)))
    assert [{"blue"}, {"previous"}, {"current"}] == [known.stages(number) for number in (1, 2, 3)]


@pytest.mark.parametrize("stage", ["", "1st", "latest", "NEW", "a b", "x" * 64, "é"])
def test_a_stage_that_is_no_alias_is_refused(stage: str) -> None:
    """Before the service has to."""
    with pytest.raises(InvalidValue):
        shapes.stage_alias(stage)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ("secretmanager.googleapis.com:443", True)),
        ({"location": "europe-west3"}, ("secretmanager.europe-west3.rep.googleapis.com:443", True)),
        ({"endpoint": "http://127.0.0.1:9090"}, ("127.0.0.1:9090", False)),
        ({"endpoint": "http://[::1]:9090"}, ("[::1]:9090", False)),
        ({"endpoint": "https://sm.example", "credentials_file": __file__}, ("sm.example:443", True)),
        ({"endpoint": "https://sm-x.p.googleapis.com"}, ("sm-x.p.googleapis.com:443", True)),
    ],
)
def test_where_the_service_is(given: dict[str, Any], found: tuple[str, bool]) -> None:
    """Global, regional, or where it is told."""
    options = parse(Options, {"project": "p", **given}, of="mount g/")
    check(options)
    assert found == target(options)


@pytest.mark.parametrize(
    "given",
    [
        {"endpoint": "http://sm.example"},
        {"endpoint": "https://sm.example"},
        {"endpoint": "https://googleapis.com.example"},
        {"endpoint": "https://notgoogleapis.com"},
        {"endpoint": "https://127.0.0.1"},
        {"endpoint": "http://127.0.0.1.example"},
        {"endpoint": "sm.example:443"},
        {"endpoint": "https://user@sm.example"},
        {"endpoint": "https://sm.example/v1"},
        {"endpoint": "https://sm.example:x"},
        {"project": ""},
        {"project": "a/secrets/b"},
        {"location": "../x"},
        {"credentials_file": "/no/such/file"},
        {"ca_file": "/no/such/file"},
        {"timeout": 0.0},
    ],
)
def test_options_that_cannot_work_are_refused(given: dict[str, Any]) -> None:
    """By name and without their value."""
    with pytest.raises(InvalidValue) as refused:
        check(parse(Options, {"project": "p", **given}, of="mount g/"))
    assert next(iter(given)) in str(refused.value)
