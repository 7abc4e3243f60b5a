"""The README's first things: each command is run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.dev import running_dev, shell

README = (Path(__file__).parents[2] / "README.md").read_text()
FIRST = README.partition("## First things")[2].partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", FIRST, re.MULTILINE | re.DOTALL)


@pytest.mark.server
def test_all_four_ways_see_the_same_secret(bao: Path, tmp_path: Path) -> None:
    """Wardgate's own command, ``bao``, hvac and curl."""
    with running_dev(tmp_path) as environment:
        environment["PATH"] = f"{bao.parent}:{environment['PATH']}"
        (program,) = blocks("python")
        (tmp_path / "program.py").write_text(program)
        own, foreign, http = blocks("sh")
        assert shell(own, tmp_path, environment).endswith("app\n")
        assert "s3cr3t" in shell(foreign, tmp_path, environment)
        assert "{'password': 's3cr3t'}\n" == shell("python program.py", tmp_path, environment)
        assert '{"password":"s3cr3t"}' in shell(http, tmp_path, environment)
