"""PATCH and SCAN in a policy's text: each goes here with other words of Vault's, and who writes a policy is told so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from wardgate.spi.frontend import MountView

from wardgate_vault.acl.globs import GLOB, GLOB_OF_FOLDER, PLUS, REST, Glob, Piece, overlap, reach
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.presentation import FIRST, PRESENTATION, SHOWN_AS

_Template = tuple[str, ...]


class _Tie(NamedTuple):
    """Vault's ``word``, the words that give it here, and where: below a mount of version 2, and of version 1.

    ``folder``: what is asked is a folder.
    """

    word: str
    givers: tuple[str, ...]
    second: tuple[_Template, ...]
    first: tuple[_Template, ...]
    folder: bool


class _Claim(NamedTuple):
    """A piece of a stanza where the word can be said."""

    stanza: Stanza
    glob: Glob
    piece: Piece


_TIES = (
    _Tie("patch", ("create", "update"), (("data",), ("metadata",)), (), folder=False),
    _Tie("scan", ("list",), (("metadata",),), ((),), folder=True),
)


def ties(stanzas: Sequence[Stanza], mounts: Iterable[MountView]) -> tuple[str, ...]:
    """What a policy allows here beyond its words, or does not allow in spite of them, as sentences that name its paths.

    All of them, however many: to be asked once ``mapped`` found that they are not too many to look at.
    """
    views = tuple(mounts)
    globs = [(stanza, Glob.parse(stanza.path)) for stanza in stanzas]
    told: list[str] = []
    for tie in _TIES:
        more: dict[str, None] = {}
        less: dict[str, None] = {}
        for claims in _claims(tie, globs, views):
            for claim in claims:
                given = claim.stanza.capabilities.issuperset(tie.givers)
                if given and not _says(tie, claim, claims):
                    more[claim.stanza.path] = None
                elif not given and tie.word in claim.stanza.capabilities:
                    less[claim.stanza.path] = None
        told += _told(tie, "is allowed too", more) + _told(tie, "is not allowed", less)
    return tuple(told)


def _claims(tie: _Tie, globs: Sequence[tuple[Stanza, Glob]], mounts: Iterable[MountView]) -> Iterator[list[_Claim]]:
    """Of each surface of a mount where the word can be said, what reaches it."""
    begun: dict[str, list[tuple[Stanza, Glob]]] = {}
    for mount in mounts:
        prefix = mount.prefix.segments
        if prefix[0] not in begun:
            known = {PLUS, prefix[0]}
            begun[prefix[0]] = [one for one in globs if not one[1].segments or one[1].segments[0] in known]
        version = mount.presentation.get(PRESENTATION, SHOWN_AS)
        for kind in tie.first if version == FIRST else tie.second:
            yield [
                _Claim(stanza, glob, piece)
                for stanza, glob in begun[prefix[0]]
                for piece in reach(glob, (*prefix, *kind, REST), folder=tie.folder)
            ]


def _says(tie: _Tie, claim: _Claim, claims: Iterable[_Claim]) -> bool:
    """Whether Vault gives the word wherever it gives the others.

    It looks for a list's path without its last slash first, and for a scan's only with it: another path may decide.
    """
    if tie.word not in claim.stanza.capabilities:
        return False
    if not tie.folder or claim.piece.try_ != GLOB:
        return True
    return claim.glob.tail is not None and not any(
        other.piece.try_ == GLOB_OF_FOLDER
        and not {tie.word, "deny"} & other.stanza.capabilities
        and overlap(other.piece, claim.piece)
        for other in claims
    )


def _told(tie: _Tie, said: str, paths: Iterable[str]) -> list[str]:
    listed = ", ".join(f'"{path}"' for path in paths)
    verb = "gives" if len(tie.givers) == 1 else "give"
    return [f"{tie.word.upper()} {said}: here {' and '.join(tie.givers)} {verb} it, at {listed}"] if listed else []
