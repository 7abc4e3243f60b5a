"""Globs over texts: ``*`` within a segment between slashes, ``**`` at the end for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.pipeline.authorize.pattern import REST, Part, part_fits, part_of


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed glob: ``repo:team/*``, ``team-*``, ``a/**``."""

    parts: tuple[Part, ...]
    rest: bool

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Read one. Raises InvalidValue: two stars in a segment, or ``**`` elsewhere than at the end."""
        segments = text.split("/")
        rest = segments[-1] == REST
        if rest:
            segments.pop()
        return cls(tuple(part_of(segment, text) for segment in segments), rest)

    def fits(self, text: str) -> bool:
        """Whether it covers the whole text."""
        segments = text.split("/")
        if len(segments) < len(self.parts) + 1 if self.rest else len(segments) != len(self.parts):
            return False
        return all(map(part_fits, self.parts, segments))
