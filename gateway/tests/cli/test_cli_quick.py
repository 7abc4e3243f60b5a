"""``--help`` and completion are quick: they import nothing that takes long."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

import pytest
from wardgate.cli.root import COMMANDS

HEAVY = (
    "rich", "sqlalchemy", "alembic", "httpx", "httpx2", "casbin", "cryptography", "msgspec", "pluggy", "pydantic",
    "uvicorn", "asyncio", "sqlite3", "ssl", "tomlkit", "tomllib", "prometheus_client", "opentelemetry",
    "difflib", "email", "http", "importlib.metadata", "socket",
)  # fmt: skip
MAIN = "from wardgate.cli import main; main()"
ROUNDS = 5


def imported(*arguments: str, **environment: str) -> set[str]:
    """The modules that a process of the command line has loaded when it ends."""
    program = f"""
import atexit, sys
atexit.register(lambda: print("loaded", *sys.modules, file=sys.stderr))
sys.argv = ["wardgate", *{arguments!r}]
{MAIN}
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.rpartition("loaded ")[2].split())


def cpu(*arguments: str, rounds: int = ROUNDS) -> float:
    """Milliseconds of CPU of one process, user and system together: the median of some."""
    spent = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1_000 * statistics.median(spent)


@pytest.mark.parametrize("arguments", [
    ("--help",), ("--version",), ("audit", "tail", "--help"), *((name, "--help") for name in COMMANDS),
])  # fmt: skip
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """Neither for all commands nor for any one."""
    loaded = imported(*arguments)
    assert set() == {name for name in HEAVY if name in loaded}


def test_completion_of_a_command_s_name_imports_no_command() -> None:
    """A shell asks at every press of the key."""
    loaded = imported(_WARDGATE_COMPLETE="bash_complete", COMP_WORDS="wardgate un", COMP_CWORD="1")
    assert set() == {name for name in HEAVY if name in loaded}
    modules = {entry.partition(":")[0] for entry, _ in COMMANDS.values()}
    assert set() == {name for name in modules if f"wardgate.cli.{name}" in loaded}


def help_of(*command: str) -> str:
    return f"import sys; sys.argv = ['wardgate', *{command!r}, '--help']; {MAIN}"


def test_help_takes_little_more_than_click_itself() -> None:
    """The goal is 100 ms of CPU on a quiet machine, for all commands and for the one that takes longest of them.

    A busy machine is compared with what click alone takes on it.
    """
    slowest = max(COMMANDS, key=lambda name: cpu("-c", help_of(name), rounds=1))
    alone = cpu("-c", "import click.shell_completion")
    for command in ((), (slowest,)):
        assert cpu("-c", help_of(*command)) < max(100.0, 3 * alone), command
