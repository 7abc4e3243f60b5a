"""The page that moves a service from Vault: each of its commands is run, and answers what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import openbao as recipe
from tests.support.dev import running_dev, shell

PAGE = (Path(__file__).parents[2] / "docs" / "move-from-vault.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@@"
DELETED = ("app/old", "payments/zz")


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(PAGE) if found == language]


def steps() -> list[tuple[str, list[str]]]:
    """Each command that the page tells its reader to type, and the lines it shows as the answer."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def like(shown: str) -> re.Pattern[str]:
    """A line of the page as a pattern: ``…`` stands for anything, and two spaces for what is between columns."""
    pattern = re.escape(shown).replace("…", ".*").replace(r"\ \ ", r"[ \t]+")
    return re.compile(f"^{pattern}[ \t]*$", re.MULTILINE)


@pytest.fixture
def old(bao: Path) -> Iterator[recipe.OpenBao]:
    """An OpenBao of the test's own, since all of it is copied; the first and the last secret are deleted there."""
    with recipe.running() as server:
        for name in DELETED:
            server.call("POST", f"secret/data/{name}", {"data": {"user": "gone"}})
            server.call("DELETE", f"secret/data/{name}")
        yield server


@pytest.mark.server
def test_a_service_moves_as_the_page_says(old: recipe.OpenBao, tmp_path: Path) -> None:
    """From its server to the gateway before it, and then to the native store, without a change to the service."""
    (service,), (policy,) = blocks("python"), blocks("toml")
    (tmp_path / "service.py").write_text(service)
    (tmp_path / "payments.toml").write_text(policy)
    _, role_id, secret_id = old.new_role('path "secret/data/payments/*" { capabilities = ["read"] }')
    given = {"OLD_ADDR": old.address, "OLD_TOKEN": old.token, "OLD_ROLE_ID": role_id, "OLD_SECRET_ID": secret_id}
    script = "".join(f"echo {MARK}\n{command}\n" for command, _ in steps())
    with running_dev(tmp_path, "--data", "trial") as environment:
        environment |= {**given, "PATH": f"{old.bao.parent}:{environment['PATH']}"}
        said = shell(script, tmp_path, environment)
    for (command, shown), answer in zip(steps(), said.split(f"{MARK}\n")[1:], strict=True):
        missing = [line for line in shown if not like(line).search(answer)]
        assert [] == missing, f"{command}\n{answer}"
    for name in DELETED:
        assert re.search(rf"^skipped\told/{name}\tsecret/{name}\tdeleted at the source$", said, re.MULTILINE)
    assert "2 skipped, 1 copied." in said
    assert "s3cr3t" not in said
