"""Lists of thousands of names, over pages of each store's own size."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.servers.aws_answers import Answer, answering
from tests.servers.aws_harness import opened
from wardgate.spi.path import Path
from wardgate.spi.values import Entry
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER

MANY = 4_000
KEYS = {"ListSecrets": "SecretList", "DescribeParameters": "Parameters"}
MOST = {"ListSecrets": 100, "DescribeParameters": 50}
"""What the store gives in one page, as its reference says."""


def page(action: str, asked: dict[str, Any]) -> Answer:
    """A page as the store gives it: of the size that is asked for, every third one empty, the last without a token."""
    assert asked["MaxResults"] <= MOST[action]
    place, turn = map(int, asked.get("NextToken", "0 0").split())
    size = 0 if turn % 3 == 1 else asked["MaxResults"]
    slash = "" if action == "ListSecrets" else "/"
    found = [{"Name": f"{slash}many/{number}"} for number in range(place, min(place + size, MANY))]
    more = {"NextToken": f"{place + size} {turn + 1}"} if place + size < MANY else {}
    return Answer(body={KEYS[action]: found, **more})


@pytest.mark.parametrize("kind", [SECRETS_MANAGER, PARAMETER_STORE], ids=lambda kind: kind.name)
def test_thousands_of_names_are_listed(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, in the order of their bytes; the store is asked for each of its pages once, however we page."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    async def listed(url: str) -> list[Entry]:
        backend = opened(kind, url)
        seen: list[Entry] = []
        cursor = None
        for _ in range(0, MANY, 1_000):
            found = await backend.list(Path(("many",)), cursor=cursor)
            seen += found.entries
            cursor = found.cursor
        assert cursor is None
        await backend.close()
        return seen

    with answering(page) as endpoint:
        seen = asyncio.run(listed(endpoint.url))
        (action,) = set(endpoint.asked)
        assert len(endpoint.asked) <= MANY / MOST[action] * 3 / 2 + 1
    assert sorted((Entry(str(number)) for number in range(MANY)), key=lambda entry: entry.name.encode()) == seen
