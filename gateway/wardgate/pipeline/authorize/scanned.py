"""What a scan shows: what the caller would see by listing one folder after the other, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wardgate.pipeline.authorize.pace import Pace
from wardgate.pipeline.authorize.visible import Visible
from wardgate.spi.errors import Malformed
from wardgate.spi.path import Path
from wardgate.spi.values import Entry


class Scanned:
    """Judges the entries of one scan; each folder is asked about once.

    Args:
        top: the folder that is scanned, which the caller may list.
        listable: whether the caller may list a folder.
        visible: what of a folder that may be listed the caller may see.
    """

    def __init__(self, top: Path, listable: Callable[[Path], bool], visible: Callable[[Path], Visible]) -> None:
        self._listable = listable
        self._visible = visible
        self._folders: dict[Path, Visible | None] = {top: visible(top)}
        self._top = top

    async def shown(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Those whose folders may all be listed and seen, each in the one above it, and whose own name is visible."""
        pace, shown = Pace(), []
        for entry in entries:
            if self._shows(entry):
                shown.append(entry)
            await pace.step()
        return tuple(shown)

    def _shows(self, entry: Entry) -> bool:
        *above, name = entry.name.split("/")
        try:
            visible = self._folder(self._top.joined(Path(tuple(above))))
        except Malformed:
            return False
        return visible is not None and visible.matches(name, entry.folder)

    def _folder(self, folder: Path) -> Visible | None:
        """What is visible of a folder; None where the caller would never get to list it."""
        if folder not in self._folders:
            above = self._folder(Path(folder.segments[:-1]))
            reached = above is not None and above.matches(folder.segments[-1], folder=True)
            self._folders[folder] = self._visible(folder) if reached and self._listable(folder) else None
        return self._folders[folder]
