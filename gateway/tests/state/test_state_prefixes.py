"""Where a mount or a child namespace may stand."""

from __future__ import annotations

import pytest
from wardgate.spi.errors import AlreadyExists, InvalidValue, WardgateError
from wardgate.spi.path import Path
from wardgate.state.prefixes import check_prefix


@pytest.mark.parametrize(
    ("prefix", "error"),
    [
        ("sys", InvalidValue),
        ("SYS/x", InvalidValue),
        ("auth", InvalidValue),
        ("child/x", InvalidValue),
        ("Child", InvalidValue),
        ("secret", AlreadyExists),
        ("secret/below", AlreadyExists),
        ("team", AlreadyExists),
    ],
)
def test_a_prefix_that_is_taken_reserved_or_nested_is_refused(prefix: str, error: type[WardgateError]) -> None:
    """Also in another case: a reserved name is not escaped by spelling it in capitals."""
    with pytest.raises(error):
        check_prefix(Path.parse(prefix), mounts=[Path.parse("secret"), Path.parse("team/kv")], children=["child"])
