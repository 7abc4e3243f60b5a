"""``doctor`` says in time that the last administrator's key runs out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.spi.operations.policies import ADMINISTRATOR
from wardgate.state.lives import Life
from wardgate.state.namespaces import ROOT_NAMESPACE

DAY = 86_400 * 10**9


def issue(made: Path, *days: float | None, policy: str = ADMINISTRATOR) -> None:
    """Keys that live so long, in place of those that were there."""

    async def work() -> None:
        state = founding.reopen(made.parent / "data", made.parent / "key")
        for info in state.principals.keys(ROOT_NAMESPACE):
            await state.principals.revoke(ROOT_NAMESPACE, info.principal.id)
        for each in days:
            ttl = None if each is None else int(each * DAY)
            await state.principals.issue(ROOT_NAMESPACE, "key", (policy,), Life(ttl=ttl))
        await state.close()

    asyncio.run(work())


def told(made: Path) -> dict[str, object]:
    result = CliRunner().invoke(wardgate, ["doctor", "--config", str(made), "--json"])
    (found,) = [one for one in json.loads(result.stdout)["checks"] if one["check"] == "administrators"]
    return dict(found)


@pytest.mark.parametrize("days", [(8,), (1, 8), (None,), (1, None)])
def test_a_key_that_lasts_is_well(made: Path, days: tuple[float | None, ...]) -> None:
    """However many others end before it."""
    issue(made, *days)
    assert (True, "") == ((found := told(made))["ok"], found["cure"])


@pytest.mark.parametrize("days", [(6.9,), (1, 6)])
def test_the_last_key_s_end_is_told_a_week_before(made: Path, days: tuple[float, ...]) -> None:
    """With what to do; it is no failure yet."""
    issue(made, *days)
    found = told(made)
    assert found["ok"]
    assert "last administrator's key ends at 2" in str(found["detail"])
    assert "wardgate key create" in str(found["cure"])


@pytest.mark.parametrize(("days", "policy"), [((), ADMINISTRATOR), ((None,), "other")])
def test_no_key_at_all_is_told(made: Path, days: tuple[None, ...], policy: str) -> None:
    """There may be another way in, such as a login; if not, there is a way back."""
    issue(made, *days, policy=policy)
    found = told(made)
    assert found["ok"]
    assert "wardgate key recover" in str(found["cure"])


def test_a_warning_is_seen_by_people(made: Path) -> None:
    """Beside what is well and what is not."""
    issue(made)
    said = CliRunner().invoke(wardgate, ["doctor", "--config", str(made)]).stdout.splitlines()
    (line,) = [number for number, text in enumerate(said) if text.startswith("warn  administrators: no key")]
    assert said[line + 1].startswith("      unless there is another way in")
