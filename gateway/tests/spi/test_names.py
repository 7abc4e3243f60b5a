"""Names of stores with narrow alphabets: every path has one of its own."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue, Malformed, SecretNotFound, TooLarge
from wardgate.spi.names import Names
from wardgate.spi.path import ROOT, Path

LETTERS = string.ascii_letters + string.digits
KINDS = {
    "slashes": Names(plain=LETTERS + "_+=.@-", escape="=", max_length=100_000),
    "slashes, two characters": Names(plain=LETTERS + "_.-", escape="_x", max_length=100_000),
    "flat": Names(plain=LETTERS + "_-", escape="_x", separator="--", max_length=100_000),
    "flat, without case": Names(
        plain=string.ascii_lowercase + string.digits + "-", escape="-x", separator="--", fold=True, max_length=100_000
    ),
}
TRICKY = st.text(st.sampled_from("ab-_x=/AXF4é.@+ 0"), min_size=1, max_size=12)
ANY = st.text(min_size=1, max_size=20)


def path_of(text: str) -> Path | None:
    try:
        return Path.parse(text)
    except Malformed:
        return None


@pytest.mark.parametrize("kind", KINDS)
@given(text=TRICKY | ANY)
def test_a_path_comes_back_from_its_name(kind: str, text: str) -> None:
    """So no two paths share a name, and the name holds only what the store can hold."""
    path = path_of(text)
    if path is not None:
        name = KINDS[kind].name_of(path)
        assert path == KINDS[kind].path_of(name)
        assert set(name) <= set(LETTERS + "_+=.@-/")


@pytest.mark.parametrize("kind", KINDS)
@given(name=st.text(st.sampled_from("ab-_x=/AXF4C39.@+0"), min_size=1, max_size=14))
def test_a_name_has_one_path_or_none(kind: str, name: str) -> None:
    """And that path asks for this very name; without case, for the same one."""
    path = KINDS[kind].path_of(name)
    if path is not None:
        assert KINDS[kind].name_of(path) == (name.lower() if kind == "flat, without case" else name)


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("slashes", "prod/db-password", "prod/db-password"),
        ("slashes", "a=b@c+d", "a=b@c+d"),
        ("flat", "team--db_password", "team/db_password"),
        ("flat, without case", "ConnectionStrings--Default", "connectionstrings/default"),
        ("flat, without case", "db-password", "db-password"),
    ],
)
def test_what_a_vendors_tool_named_reads_naturally(kind: str, name: str, text: str) -> None:
    """Without an escape in it."""
    assert Path.parse(text) == KINDS[kind].path_of(name)


def test_a_name_that_would_be_too_long_is_refused() -> None:
    """Before the store is asked; and the root, which is no secret. To a reader neither is there."""
    names = Names(plain="a", escape="=", max_length=3)
    for path, refused in ((Path.parse("aaaa"), TooLarge), (ROOT, InvalidValue)):
        with pytest.raises(refused):
            names.name_of(path)
        with pytest.raises(SecretNotFound) as absent:
            names.existing(path)
        assert absent.value.__context__ is None
    assert names.existing(Path.parse("aaa")) == "aaa"
