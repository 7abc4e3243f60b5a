"""Which names of a folder a principal may see: compiled once for a folder, then asked for each name.

The rules, for an action and a folder:

- A denied name is never visible: a deny that covers ``folder/name`` hides the secret, and one that covers the folder
  ``folder/name`` (such as ``folder/name/**``) hides the folder.
- Where the action is ``list`` and the folder itself may be listed, every other name is visible.
- Elsewhere a secret is visible when the action is allowed on it, and a folder when an allow reaches it or could reach
  something below it. A folder whose contents are denied piece by piece may therefore still show its own name.
- A rule with a condition counts as it applies to the name: an allow where the condition is true of the folder's or the
  secret's own path, a deny unless it is false of it. What cannot be known hides the name.
"""

from __future__ import annotations

import copy
import enum
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.conditions import UNKNOWN, Condition, Question
from wardgate.pipeline.authorize.conditions.question import Unknown
from wardgate.pipeline.authorize.pattern import Part, Segments, Wildcard, part_fits
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


class _Asked:
    """Rows of one effect whose conditions read the path: asked of each name that they cover."""

    def __init__(self) -> None:
        self._of_name: dict[str, list[_Left]] = {}
        self._others: list[_Left] = []

    def add(self, parts: tuple[Part, ...], condition: Condition, *, rest: bool) -> None:
        left = _Left(parts, rest, condition)
        if parts and isinstance(parts[0], str):
            self._of_name.setdefault(parts[0], []).append(left)
        else:
            self._others.append(left)

    def __bool__(self) -> bool:
        return bool(self._of_name) or bool(self._others)

    def of(self, name: str) -> Iterable[_Left]:
        """Those that could cover the name."""
        return itertools.chain(self._of_name.get(name, ()), self._others)


class _Left(NamedTuple):
    """What a pattern leaves below the folder, and the condition of its row."""

    parts: tuple[Part, ...]
    rest: bool
    condition: Condition

    def covers(self, name: str, *, folder: bool) -> bool:
        """Whether the row covers the secret of that name, or the folder."""
        if not self.parts:
            return self.rest
        return len(self.parts) == 1 and (folder or not self.rest) and part_fits(self.parts[0], name)

    def towards(self, name: str) -> bool:
        """Whether it covers the folder of that name or could cover something below it."""
        return part_fits(self.parts[0], name) if self.parts else self.rest


class Visible:
    """What is visible of one folder. ``extent`` saves asking for each name."""

    __slots__ = ("_allowed", "_asked_allowed", "_asked_denied", "_denied", "_listed", "_question", "extent")

    def __init__(
        self,
        allowed: _Reach,
        denied: _Reach,
        *,
        listed: bool,
        asked: tuple[_Asked, _Asked] | None = None,
        question: Question | None = None,
    ) -> None:
        self._allowed = allowed
        self._denied = denied
        self._asked_allowed, self._asked_denied = asked or (_NOBODY, _NOBODY)
        self._listed = listed
        self._question = question
        self.extent = self._extent()

    def matches(self, name: str, folder: bool) -> bool:  # noqa: FBT001  # the shape of an Entry: name, folder
        """Whether this name directly below the folder may be shown."""
        denied = self._denied.folders if folder else self._denied.secrets
        if name in denied:
            return False
        allowed = self._allowed.towards if folder else self._allowed.secrets
        if not (self._listed or name in allowed or self._asks_allowed(name, folder=folder)):
            return False
        return not (self._asked_denied and self._asks_denied(name, folder=folder))

    def at(self, question: Question) -> Visible:
        """The same of another folder that the same rows reach, of which ``question`` is."""
        there = copy.copy(self)
        there._question = question  # noqa: SLF001  # one of us
        return there

    def could_reach(self, name: str) -> bool:
        """Whether something could be allowed in the folder of that name, or below it: a guess that errs towards yes."""
        if name in self._denied.folders:
            return False
        return (
            self._listed
            or name in self._allowed.towards
            or any(left.towards(name) for left in self._asked_allowed.of(name))
        )

    def _asks_allowed(self, name: str, *, folder: bool) -> bool:
        if not self._asked_allowed:
            return False
        child = self._child(name, folder=folder)
        return any(
            (left.towards(name) if folder else left.covers(name, folder=False)) and left.condition.truth(child) is True
            for left in self._asked_allowed.of(name)
        )

    def _asks_denied(self, name: str, *, folder: bool) -> bool:
        child = self._child(name, folder=folder)
        return any(
            left.covers(name, folder=folder) and left.condition.truth(child) is not False
            for left in self._asked_denied.of(name)
        )

    def _child(self, name: str, *, folder: bool) -> Question:
        question = self._question
        assert question is not None
        assert not isinstance(question.segments, Unknown)
        return question.at((*question.segments, name), folder=folder)

    def _extent(self) -> Extent:
        everything = self._allowed.secrets.everything
        possible = self._listed or everything or self._allowed.towards or self._asked_allowed
        if self._denied.secrets.everything or not possible:
            return Extent.NONE
        if (self._listed or everything) and not (self._denied.secrets or self._denied.folders or self._asked_denied):
            return Extent.ALL
        return Extent.SOME


_NOBODY: Final = _Asked()
NOTHING: Final = Visible(_Reach(), _Reach(), listed=False)


def compile_visible(
    rows: Iterable[Row], folder: Segments, *, listed: bool, question: Question | None = None
) -> Visible:
    """Compile what ``rows``, all of one action, leave visible directly below ``folder``.

    Args:
        rows: every row of the principal's policies for the action that could matter below the folder.
        folder: the folder's segments; none is the root.
        listed: whether being in the folder is enough, unless denied.
        question: of the folder; None: no row has a condition.
    """
    reaches = {Effect.ALLOW: _Reach(), Effect.DENY: _Reach()}
    asked = {Effect.ALLOW: _Asked(), Effect.DENY: _Asked()}
    anywhere = None if question is None else question.at(UNKNOWN)
    truths: dict[str, bool | None] = {}
    for row in rows:
        left = row.pattern.below(folder)
        if left is None:
            continue
        parts, rest = left
        effect, condition = Effect(row.effect), row.when
        if condition is None:
            reaches[effect].add(parts, rest=rest)
            continue
        assert anywhere is not None
        if condition.text not in truths:
            truths[condition.text] = condition.truth(anywhere)
        truth = truths[condition.text]
        if truth is None and condition.of_path:
            asked[effect].add(parts, condition, rest=rest)
        elif truth is True or (truth is None and effect is Effect.DENY):
            reaches[effect].add(parts, rest=rest)
    return Visible(
        reaches[Effect.ALLOW],
        reaches[Effect.DENY],
        listed=listed,
        asked=(asked[Effect.ALLOW], asked[Effect.DENY]),
        question=question,
    )
