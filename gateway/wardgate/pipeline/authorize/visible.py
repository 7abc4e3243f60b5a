"""Which names of a folder a principal may see: compiled once for a folder, then asked for each name.

The rules, for an action and a folder:

- A denied name is never visible: a deny that covers ``folder/name`` hides the secret, and one that covers the folder
  ``folder/name`` (such as ``folder/name/**``) hides the folder.
- Where the action is ``list`` and the folder itself may be listed, every other name is visible.
- Elsewhere a secret is visible when the action is allowed on it, and a folder when an allow reaches it or could reach
  something below it. A folder whose contents are denied piece by piece may therefore still show its own name.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.pattern import Part, Segments, Wildcard
from wardgate.spi.operations.policies import Effect


class Extent(enum.Enum):
    """How much of a folder is visible; ``SOME``: ask for each name."""

    ALL = "all"
    NONE = "none"
    SOME = "some"


@dataclass(slots=True)
class _Names:
    """A set of names: literal ones, and those that fit a star."""

    everything: bool = False
    literals: set[str] = field(default_factory=set)
    wildcards: list[Wildcard] = field(default_factory=list)

    def add(self, part: Part) -> None:
        if isinstance(part, str):
            self.literals.add(part)
        elif part not in self.wildcards:
            self.wildcards.append(part)

    def __contains__(self, name: str) -> bool:
        return self.everything or name in self.literals or any(wildcard.fits(name) for wildcard in self.wildcards)

    def __bool__(self) -> bool:
        return self.everything or bool(self.literals) or bool(self.wildcards)


class _Reach:
    """What the rules of one effect cover directly below a folder."""

    def __init__(self) -> None:
        self.secrets = _Names()
        self.folders = _Names()
        self.towards = _Names()

    def add(self, parts: tuple[Part, ...], *, rest: bool) -> None:
        """Add what one pattern leaves below the folder."""
        if not parts:
            for names in (self.secrets, self.folders, self.towards):
                names.everything = names.everything or rest
            return
        self.towards.add(parts[0])
        if len(parts) == 1:
            self.folders.add(parts[0])
            if not rest:
                self.secrets.add(parts[0])


class Visible:
    """What is visible of one folder. ``extent`` saves asking for each name."""

    __slots__ = ("_allowed", "_denied", "_listed", "extent")

    def __init__(self, allowed: _Reach, denied: _Reach, *, listed: bool) -> None:
        self._allowed = allowed
        self._denied = denied
        self._listed = listed
        self.extent = self._extent()

    def matches(self, name: str, folder: bool) -> bool:  # noqa: FBT001  # the shape of an Entry: name, folder
        """Whether this name directly below the folder may be shown."""
        if folder:
            return (self._listed or name in self._allowed.towards) and name not in self._denied.folders
        return (self._listed or name in self._allowed.secrets) and name not in self._denied.secrets

    def _extent(self) -> Extent:
        everything = self._allowed.secrets.everything
        if self._denied.secrets.everything or not (self._listed or everything or self._allowed.towards):
            return Extent.NONE
        if (self._listed or everything) and not (self._denied.secrets or self._denied.folders):
            return Extent.ALL
        return Extent.SOME


NOTHING: Final = Visible(_Reach(), _Reach(), listed=False)


def compile_visible(rows: Iterable[Row], folder: Segments, *, listed: bool) -> Visible:
    """Compile what ``rows``, all of one action, leave visible directly below ``folder``.

    Args:
        rows: every row of the principal's policies for the action.
        folder: the folder's segments; none is the root.
        listed: whether being in the folder is enough, unless denied.
    """
    allowed, denied = _Reach(), _Reach()
    for row in rows:
        left = row.pattern.below(folder)
        if left is not None:
            parts, rest = left
            (allowed if row.effect == Effect.ALLOW else denied).add(parts, rest=rest)
    return Visible(allowed, denied, listed=listed)
