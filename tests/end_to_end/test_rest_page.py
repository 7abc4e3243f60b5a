"""The commands of docs/rest.md do what the page says, in one shell, against a real gateway."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.servers.gateway import running

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()
STEPS = [
    (command, [line for line in rest.split("\n") if line])
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for command, _, rest in (step.partition("\n") for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:])
]
MARK = "=== the next command"


def test_every_command_answers_as_the_page_says(tmp_path: Path) -> None:
    """Line by line; an ellipsis stands for anything."""
    script = "\n".join(f"{command}\nprintf '\\n{MARK}\\n'" for command, _ in STEPS)
    with running(plugins=("native",)) as gateway:
        environment = gateway.environment() | {"WARDGATE_ADDR": gateway.address, "WARDGATE_TOKEN": gateway.token}
        done = subprocess.run(
            ["bash", "-eu"],
            input=script, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    answers = done.stdout.split(f"\n{MARK}\n")[:-1]
    assert len(STEPS) == len(answers)
    for (command, expected), answer in zip(STEPS, answers, strict=True):
        shown = [line.rstrip("\r") for line in answer.split("\n") if line]
        assert len(expected) == len(shown), (command, shown)
        for pattern, line in zip(expected, shown, strict=True):
            assert re.fullmatch(re.escape(pattern).replace("…", ".*"), line), (command, line)


@pytest.mark.parametrize(
    "word", ["version", "ETag", "If-Match", "Idempotency-Key", "batch/read", "batch/write", "wrapping/unwrap", "PATCH"]
)
def test_the_page_runs_what_it_speaks_of(word: str) -> None:
    """Each has a command, not a sentence alone."""
    assert any(word.lower() in command.lower() for command, _ in STEPS)
