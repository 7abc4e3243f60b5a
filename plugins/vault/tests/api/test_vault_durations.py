"""Times and durations as Go writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue
from wardgate_vault.durations import LONGEST, SECOND, format_duration, parse_duration, rfc3339


@given(st.integers(0, LONGEST))
def test_a_duration_reads_back(duration: int) -> None:
    """What is printed is what is read, to the nanosecond."""
    assert duration == parse_duration(format_duration(duration), field="f")


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(90, 90), ("90", 90), ("", 0), ("0", 0), ("1h30m", 5_400), ("1.5h", 5_400), ("2d", 172_800), ("250ms", 0.25)],
)
def test_a_duration_comes_in_many_forms(given: int | str, seconds: float) -> None:
    """Numbers are seconds; text is Go's, and a day is 24 hours."""
    assert seconds * SECOND == parse_duration(given, field="f")


@pytest.mark.parametrize(
    "given", ["soon", "1h30", "-1s", -1, "1 h", "h", "\u0661", float("nan"), float("inf"), "9" * 30, LONGEST]
)
def test_what_is_no_duration_is_refused(given: float | str) -> None:
    """Without a word of what was given."""
    with pytest.raises(InvalidValue, match=r'^error converting input for field "f": '):
        parse_duration(given, field="f")


@pytest.mark.parametrize(
    ("duration", "shown"), [(0, "0s"), (90 * SECOND, "1m30s"), (5_400 * SECOND, "1h30m0s"), (SECOND // 4, "0.25s")]
)
def test_a_duration_is_shown_as_go_shows_it(duration: int, shown: str) -> None:
    """Hours bring their minutes, and minutes their seconds."""
    assert shown == format_duration(duration)


@given(st.integers(0, 4_000_000_000 * SECOND))
def test_a_time_has_no_trailing_zeros(time: int) -> None:
    """RFC 3339 with nanoseconds, as long as it needs to be."""
    shown = rfc3339(time)
    whole, _, fraction = shown.removesuffix("Z").partition(".")

    assert not fraction.endswith("0")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    assert time == seconds * SECOND + int(fraction.ljust(9, "0"))
