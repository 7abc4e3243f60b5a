"""Unmodified clients of the Vault API from their languages' own registries, built on first use and then kept.

``tests/end_to_end/clients`` holds a small program for each; consul-template is a program already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.servers.programs import CannotBuild, kept

SOURCES = Path(__file__).parents[1] / "end_to_end" / "clients"
CONSUL_TEMPLATE = "github.com/hashicorp/consul-template@v0.41.1"


@dataclass(frozen=True)
class Client:
    """How one client comes to be. ``steps`` are run in a folder with a copy of ``source``; ``{kept}`` is that folder.

    ``needs`` are the commands they use, ``install`` says where to get them. ``command`` runs the client.
    """

    name: str
    needs: Sequence[str]
    install: str
    steps: Sequence[Sequence[str]]
    command: Sequence[str]
    environment: Mapping[str, str]
    source: bool = True

    def files(self) -> Iterator[Path]:
        """What it is built from, beside the steps."""
        if self.source:
            yield from sorted(path for path in (SOURCES / self.name).iterdir() if path.is_file())


GO = {"CGO_ENABLED": "0", "GOBIN": "{kept}", "GOFLAGS": "-mod=readonly"}
ALL = {
    client.name: client
    for client in (
        Client(
            "consul-template", ("go",), "Go 1.24 or newer",
            steps=[["go", "install", CONSUL_TEMPLATE]],
            command=["{kept}/consul-template"],
            environment={**GO, "GOFLAGS": ""},
            source=False,
        ),
        Client(
            "go", ("go",), "Go 1.24 or newer",
            steps=[["go", "build", "-trimpath", "-buildvcs=false", "-o", "{kept}/client", "."]],
            command=["{kept}/client"],
            environment=GO,
        ),
        Client(
            "node", ("node", "npm"), "Node.js 18 or newer, with npm",
            steps=[["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]],
            command=["node", "{kept}/client.mjs"],
            environment={},
        ),
        Client(
            "java", ("javac", "mvn"), "a JDK of version 17 or newer, and Maven",
            steps=[
                ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory={kept}/libraries"],
                ["javac", "-cp", "libraries/*", "-d", "classes", "Client.java"],
            ],
            command=["java", "-cp", "{kept}/classes:{kept}/libraries/*", "Client"],
            environment={},
        ),
        Client(
            "rust", ("cargo",), "Rust 1.85 or newer",
            steps=[["cargo", "build", "--locked", "--quiet"]],
            command=["{kept}/target/debug/client"],
            environment={"CARGO_TARGET_DIR": "{kept}/target", "CARGO_PROFILE_DEV_DEBUG": "0"},
        ),
    )
}  # fmt: skip


def built(name: str) -> tuple[str, ...]:
    """The command that runs the client of this name; built on first use (a minute or two), then kept.

    Raises:
        CannotBuild: its toolchain is not here, or the build failed.
    """
    client = ALL[name]
    made_from = [repr((client.steps, client.environment)).encode()]
    made_from += [file.name.encode() + b"\0" + file.read_bytes() for file in client.files()]
    done = kept(f"client-{name}", b"".join(made_from), "built", partial(_build, client))
    return tuple(word.format(kept=done.parent) for word in client.command)


def _build(client: Client, folder: Path) -> None:
    missing = [command for command in client.needs if shutil.which(command) is None]
    if missing:
        raise CannotBuild(f"the client {client.name!r} is built with {missing[0]!r}; install {client.install}")
    for file in client.files():
        shutil.copy(file, folder)
    environment = os.environ | {name: value.format(kept=folder) for name, value in client.environment.items()}
    for step in client.steps:
        words = [word.format(kept=folder) for word in step]
        ran = subprocess.run(
            words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise CannotBuild(f"`{' '.join(step)}` failed for {client.name!r}: {(ran.stderr or ran.stdout)[-2_000:]}")
    (folder / "built").touch()
