"""``docs/api.md`` says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from wardgate_native.api.table import TABLE

PAGE = (Path(__file__).parents[4] / "docs" / "api.md").read_text()


def test_the_page_has_exactly_the_endpoints_there_are() -> None:
    """None forgotten, none invented."""
    documented = re.findall(r"^\| `([A-Z]+ /api/v1/\S+)` \|", PAGE, re.MULTILINE)
    assert sorted(documented) == sorted(f"{method} /api/v1/{pattern}" for method, pattern in TABLE.endpoints)
