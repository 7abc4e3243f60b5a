"""When Alembic is asked, and when the text of the revisions says enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from wardgate.state.migrate import _newest

CHAIN = {"zz9.py": ("zz9", None), "aa1.py": ("aa1", "zz9"), "mm5.py": ("mm5", "aa1")}


def write(folder: Path, revisions: dict[str, tuple[str, str | None]], style: str = "{name} = {value!r}") -> Path:
    versions = folder / "versions"
    versions.mkdir(exist_ok=True)
    for file, (revision, down) in revisions.items():
        lines = [style.format(name="revision", value=revision), style.format(name="down_revision", value=down)]
        (versions / file).write_text("\n".join([*lines, "", "def upgrade(): ...", ""]))
    return folder


@pytest.mark.parametrize("style", ["{name} = {value!r}", "{name}: str = {value!r}", "{name}: str | None = {value!r}"])
def test_the_newest_is_the_one_that_none_follows(tmp_path: Path, style: str) -> None:
    """Whatever the files are called: their names are not in order."""
    found = _newest(write(tmp_path, CHAIN, style))
    assert found in ({"mm5"}, None)
    assert ({"mm5"} if "|" not in style else None) == found


@pytest.mark.parametrize(
    "revisions",
    [
        {},
        {"a.py": ("a", None), "b.py": ("b", None)},
        {"a.py": ("a", None), "b.py": ("b", "a"), "c.py": ("c", "a")},
    ],
)
def test_what_is_no_plain_chain_is_left_to_alembic(
    tmp_path: Path, revisions: dict[str, tuple[str, str | None]]
) -> None:
    """Nothing to read, two beginnings, two ends."""
    assert _newest(write(tmp_path, revisions)) is None


def test_opening_a_file_that_is_up_to_date_does_not_load_alembic(tmp_path: Path) -> None:
    """It takes longer to import than the rest of the gateway together."""
    script = (
        "import sys, pathlib\n"
        "from wardgate.clock import SystemClock\n"
        "from wardgate.state.database import Database\n"
        "import wardgate.state as state\n"
        "scripts = pathlib.Path(state.__file__).parent / 'migrations'\n"
        f"database = Database(pathlib.Path({str(tmp_path / 'a.db')!r}), SystemClock())\n"
        "database.migrate(scripts, version_table='v')\n"
        "database.close_and_wait()\n"
        "print('alembic' in sys.modules)\n"
    )
    loaded = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert ["True", "False"] == loaded
