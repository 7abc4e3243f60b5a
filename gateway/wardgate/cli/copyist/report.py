"""What a copy says: its plan, how each secret ended, and with which exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from wardgate.cli import exits, output
from wardgate.cli.copyist.plan import Item, Outcome, State
from wardgate.cli.session import Session
from wardgate.cli.terminal import printable


@dataclass(frozen=True)
class Report:
    """Speaks of the items of one copy; ``notes``: what is lost between the stores."""

    session: Session
    items: Sequence[Item]
    notes: list[str] = field(default_factory=list)

    def announce(self) -> None:
        """Say in a line what is going to be done, and what cannot be kept."""
        if not self.session.json:
            click.echo(f"Planned: {_counted([item.state.value for item in self.items])}.", err=True)
            self._warn()

    def planned(self, *, overwrite: bool) -> int:
        """Show the plan alone; the exit code."""
        self._show("state", [item.state.value for item in self.items], dry_run=True)
        left = not overwrite and any(item.state is State.DIFFERS for item in self.items)
        return _ending(failed=any(item.state is State.CANNOT for item in self.items), left=left)

    def ended(self) -> int:
        """Show how each secret ended; the exit code."""
        self._show("outcome", [item.outcome.value for item in self.items], dry_run=False)
        left = any(item.outcome is Outcome.SKIPPED and item.state is State.DIFFERS for item in self.items)
        return _ending(failed=any(item.outcome is Outcome.FAILED for item in self.items), left=left)

    def interrupted(self, *, compared: bool = True, dry_run: bool = False) -> int:
        """Show how far it came; before all are compared that is nowhere. The exit code."""
        if compared or self.session.json:
            self._show("outcome", [item.outcome.value for item in self.items], dry_run=dry_run)
        if compared:
            click.echo("Stopped. The same command once more goes on from here.", err=True)
        else:
            click.echo("Stopped before all secrets were compared; nothing was copied.", err=True)
        return exits.FAILURE

    def _warn(self) -> None:
        for note in self.notes:
            click.echo(f"Note: {printable(note)}", err=True)

    def _show(self, name: str, words: Sequence[str], *, dry_run: bool) -> None:
        if self.session.json:
            secrets = [_described(item, name, word) for item, word in zip(self.items, words, strict=True)]
            counts = dict(Counter(words))
            output.as_json({"dry_run": dry_run, "counts": counts, "notes": list(self.notes), "secrets": secrets})
            return
        rows = [
            (word, item.source, item.destination, item.reason) for item, word in zip(self.items, words, strict=True)
        ]
        output.table((name.title(), "Source", "Destination", "Why"), rows, empty="There is nothing to copy.")
        if dry_run:
            self._warn()
        click.echo(f"{'Dry run: ' if dry_run else ''}{_counted(words)}.", err=True)


def _ending(*, failed: bool, left: bool) -> int:
    """Whoever removes the source after a copy must hear that not all of it is there."""
    return exits.FAILURE if failed else exits.CONFLICT if left else exits.OK


def _described(item: Item, name: str, word: str) -> dict[str, Any]:
    facts = {"source": item.source, "destination": item.destination, name: word}
    return facts | {key: text for key, text in (("code", item.code), ("reason", item.reason)) if text}


def _counted(words: Sequence[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())
