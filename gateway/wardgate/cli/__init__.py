"""The command line: clients of ``/api/v1``, and the few commands that work on this machine alone."""

from __future__ import annotations


def main() -> None:
    """Run ``wardgate``; ends the process with one of the exit codes of ``wardgate.cli.exits``."""
    from wardgate.cli.root import wardgate  # noqa: PLC0415  # whoever imports the package need not load the commands

    wardgate(prog_name="wardgate")
