"""``docs/api.md`` says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from wardgate.spi.errors import CLOSED_LIST
from wardgate_native.api.problems import STATUS
from wardgate_native.api.table import TABLE

PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text()


def test_the_page_has_exactly_the_endpoints_there_are() -> None:
    """None forgotten, none invented."""
    documented = re.findall(r"^\| `([A-Z]+ /api/v1/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(f"{method} /api/v1/{pattern}" for method, pattern in TABLE.endpoints)


def test_the_page_has_every_error_with_its_status() -> None:
    """The stable code and what it answers with."""
    documented = dict(re.findall(r"^\| `(\w+)` \| (\d{3})[ ,]", PAGE, re.MULTILINE))
    assert documented == {error.code: str(STATUS[error][0]) for error in CLOSED_LIST}
