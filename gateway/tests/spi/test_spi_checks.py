"""Checks that plugins' options have in common."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from wardgate.spi.checks import check_absolute, check_bounds, check_files, check_url, check_words
from wardgate.spi.errors import InvalidValue

EXAMPLE = "https://store.example"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("https://store.example:8200/", {}),
        ("http://127.0.0.1:1", {}),
        ("http://[::1]", {}),
        ("https://store.example/below", {"path": True}),
        ("http://store.example", {"plain_http": True}),
    ],
)
def test_a_url_that_will_do(text: str, more: dict[str, Any]) -> None:
    """Its parts are given back."""
    assert check_url("address", text, example=EXAMPLE, **more).geturl() == text


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("https://canary:x", {}, "is not a URL"),
        ("https://[canary", {}, "is not a URL"),
        ("canary", {}, f"such as {EXAMPLE}"),
        ("ftp://canary", {}, f"such as {EXAMPLE}"),
        ("https://", {}, f"such as {EXAMPLE}"),
        ("https://can\\ary.example", {}, f"such as {EXAMPLE}"),
        ("https://canary\\.store.example", {}, f"such as {EXAMPLE}"),
        ("https://u:canary@host", {}, "without user, path, query or fragment"),
        ("https://host/canary", {}, "without user, path"),
        ("https://host/?canary", {"path": True}, "without user, query or fragment"),
        ("https://host/#canary", {"path": True}, "without user, query or fragment"),
        ("http://canary", {}, "on this machine$"),
        ("http://canary", {"plain_http": False}, "or set plain_http$"),
        ("http://canary", {"always_tls": True}, "must be https://$"),
        ("http://localhost", {"always_tls": True}, "must be https://$"),
    ],
)
def test_a_url_that_will_not_do(text: str, more: dict[str, Any], said: str) -> None:
    """The option is named, and never its value."""
    with pytest.raises(InvalidValue, match=f"option 'address' .*{said}") as raised:
        check_url("address", text, example=EXAMPLE, **more)
    assert "canary" not in raised.value.message


@pytest.mark.parametrize("text", ["", "a b", "tab\t", "ü", "line\n"])
def test_words_are_printable_ascii(text: str, tmp_path: Any) -> None:
    """One that was not given is not looked at."""
    options = SimpleNamespace(token=text, other=None)
    check_words(options, "other")
    with pytest.raises(InvalidValue, match="option 'token'"):
        check_words(options, "other", "token")


def test_files_are_there(tmp_path: Any) -> None:
    """A folder is none, and neither is what cannot be looked at."""
    (tmp_path / "ca.pem").write_text("x")
    check_files(SimpleNamespace(ca_file=str(tmp_path / "ca.pem"), other=None), "ca_file", "other")
    for wrong in (tmp_path, tmp_path / "nowhere", tmp_path / ("x" * 300)):
        with pytest.raises(InvalidValue, match="option 'ca_file' names no file"):
            check_files(SimpleNamespace(ca_file=str(wrong)), "ca_file")


@pytest.mark.parametrize("relative", ["secrets", "./secrets", "../secrets", "~/secrets", ""])
def test_places_are_told_in_full(relative: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative one would be another place each time the gateway is started from elsewhere, be there a file or not."""
    (tmp_path / "secrets").write_text("x")
    monkeypatch.chdir(tmp_path)
    check_absolute(SimpleNamespace(folder=str(tmp_path), other=None), "folder", "other")
    for check in (check_absolute, check_files):
        with pytest.raises(InvalidValue, match="option 'folder' must be an absolute path"):
            check(SimpleNamespace(folder=relative), "folder")


@pytest.mark.parametrize(("timeout", "good"), [(0.1, True), (300, True), (0.0, False), (300.5, False)])
def test_bounds_are_within(timeout: float, *, good: bool) -> None:
    """The least and the most will do; what is no number will not."""
    options = SimpleNamespace(timeout=timeout)
    if good:
        check_bounds(options, {"timeout": (0.1, 300.0)})
        return
    with pytest.raises(InvalidValue, match="option 'timeout' must be between"):
        check_bounds(options, {"timeout": (0.1, 300.0)})


def test_no_number_is_within_no_bounds() -> None:
    """What a file of options calls nan is refused."""
    with pytest.raises(InvalidValue):
        check_bounds(SimpleNamespace(timeout=float("nan")), {"timeout": (0.1, 300.0)})
