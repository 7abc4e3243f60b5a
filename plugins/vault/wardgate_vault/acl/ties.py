"""PATCH and SCAN in a policy's text: each goes here with other words of Vault's, and who writes a policy is told so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from wardgate.spi.frontend import MountView

from wardgate_vault.acl.globs import GLOB, GLOB_OF_FOLDER, overlap
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.acl.mapping import Claim, beginnings, claims_of, globs_of
from wardgate_vault.acl.surfaces import Grant, grants_of


def ties(stanzas: Sequence[Stanza], mounts: Iterable[MountView]) -> tuple[str, ...]:
    """What a policy allows here beyond its words, or does not allow in spite of them, as sentences that name its paths.

    All of them, however many: to be asked once ``mapped`` found that they are not too many to look at.
    """
    beginning = beginnings(globs_of(stanzas))
    told: dict[tuple[str, bool, str], dict[str, None]] = defaultdict(dict)
    for grant in grants_of(mounts):
        if not grant.tied:
            continue
        (need,) = grant.needs
        givers = " and ".join(sorted(need[1])) + (" give" if len(need[1]) > 1 else " gives")
        claims = claims_of(beginning(grant.target[0]), need, folder=grant.folder)
        for claim in claims:
            if claim.given and not _says(grant, claim, claims):
                told[grant.tied, False, givers][claim.stanza.path] = None
            elif not claim.given and grant.tied in claim.stanza.capabilities:
                told[grant.tied, True, givers][claim.stanza.path] = None
    return tuple(
        f"{word.upper()} is {'not allowed' if less else 'allowed too'}: here {givers} it, at "
        + ", ".join(f'"{path}"' for path in paths)
        for (word, less, givers), paths in sorted(told.items())
    )


def _says(grant: Grant, claim: Claim, claims: Iterable[Claim]) -> bool:
    """Whether Vault gives the tied word wherever it gives the others.

    It looks for a list's path without its last slash first, and for a scan's only with it: another path may decide.
    """
    if grant.tied not in claim.stanza.capabilities:
        return False
    if not grant.folder or claim.piece.try_ != GLOB:
        return True
    return claim.glob.tail is not None and not any(
        other.piece.try_ == GLOB_OF_FOLDER
        and not {grant.tied, "deny"} & other.stanza.capabilities
        and overlap(other.piece, claim.piece)
        for other in claims
    )
