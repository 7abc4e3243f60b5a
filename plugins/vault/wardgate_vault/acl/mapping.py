"""From Vault's policies to the gateway's rules.

An action here stands for several of Vault's requests; where that is more than a stanza says, whoever writes the policy
is warned (``acl/ties``; docs/vault.md lists all that may be more).
In Vault the most specific of a policy's paths decides alone; here all rules count and a deny wins. So what a narrower
path does not give, and a wider one does, is denied at the narrower one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.methods import RESERVED
from wardgate.spi.operations.policies import Effect, Rule
from wardgate.spi.path import OWN

from wardgate_vault.acl.globs import ONE, PLUS, REST, Glob, Key, Piece, overlap, reach, within
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.acl.surfaces import Grant, Need, grants_of

MAX_WARNINGS = 20
MAX_WORK = 60_000
"""Looks at a path beside a surface, or beside another path: most policies take some hundred, and this some 0.2 s."""
_DENY = "deny"
_METHOD = ("auth", ONE)
"""How the template of whatever is a login method's begins; those that are reserved have nothing of it."""


class Claim(NamedTuple):
    """A piece of a stanza within one need of a grant. ``order``: of two that overlap, the greater decides."""

    stanza: Stanza
    glob: Glob
    piece: Piece
    order: tuple[int, Key]
    given: bool


@dataclass(slots=True)
class Mapped:
    """Rules, and what a reader of the policy might miss in them."""

    rules: tuple[Rule, ...] = ()
    warnings: list[str] = field(default_factory=list)
    work: int = 0

    def spend(self, looks: int) -> None:
        """Count work before it is done. Raises InvalidValue when it is too much."""
        self.work += looks
        if self.work > MAX_WORK:
            raise InvalidValue(
                "its paths reach too much and overlap too often to be compared; split it, or write fewer"
            )

    def warn(self, warning: str) -> None:
        """Note something once; no more than a screenful."""
        if warning not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(warning)


_Paths = dict[str, set[str]]
Globs = Sequence[tuple[Stanza, Glob]]


def mapped(stanzas: Sequence[Stanza], mounts: Iterable[MountView]) -> Mapped:
    """The rules of a policy for the mounts as they are now.

    Raises:
        InvalidValue: a path that rules cannot say, or that is denied where nothing is; or nothing is left; or it would
            take too long.
    """
    views = tuple(mounts)
    globs = globs_of(stanzas)
    beginning = beginnings(globs)
    done = Mapped()
    allowed: _Paths = {}
    denied: _Paths = {}
    reached: set[str] = set()
    for grant in grants_of(views):
        begun = beginning(grant.target[0])
        done.spend(len(begun) * len(grant.needs))
        claims = [claims_of(begun, need, folder=grant.folder) for need in grant.needs]
        reached |= {claim.stanza.path for each in claims for claim in each}
        _grant(grant, claims, allowed, denied, done)
    for stanza, glob in globs:
        if stanza.path not in reached:
            _unreached(stanza, glob, views, done)
    done.rules = (*_rules(Effect.ALLOW, allowed), *_rules(Effect.DENY, denied))
    if not done.rules:
        raise InvalidValue("no path of this policy gives anything here: " + "; ".join(done.warnings[:3]))
    return done


def globs_of(stanzas: Iterable[Stanza]) -> Globs:
    """Each with its path read. Raises InvalidValue."""
    return [(stanza, Glob.parse(stanza.path)) for stanza in stanzas]


def beginnings(globs: Globs) -> Callable[[str], Globs]:
    """To ask for those that can reach a path with a first segment; each is looked for once."""
    return cache(lambda first: [each for each in globs if not each[1].segments or each[1].segments[0] in {PLUS, first}])


def claims_of(globs: Globs, need: Need, *, folder: bool) -> list[Claim]:
    """What of them lies within a need, whether or not it gives all that is needed."""
    template, capabilities = need
    return [
        Claim(stanza, glob, piece, (piece.try_, glob.key), capabilities <= stanza.capabilities)
        for stanza, glob in globs
        for piece in reach(glob, template, folder=folder)
        if template[:2] != _METHOD or piece.parts[0].casefold() not in RESERVED
    ]


def _grant(grant: Grant, claims: Sequence[list[Claim]], allowed: _Paths, denied: _Paths, done: Mapped) -> None:
    """Add what one grant comes to."""
    given = [[claim for claim in each if claim.given] for each in claims]
    common = [claim.piece for claim in given[0]]
    for other in given[1:]:
        done.spend(len(common) * len(other))
        found = (_common(one, two.piece) for one in common for two in other)
        common = list(dict.fromkeys(piece for piece in found if piece is not None))
    for piece in common:
        allowed.setdefault(_text(grant.target, piece), set()).add(grant.action.value)
    for each, givers, need in zip(claims, given, grant.needs, strict=True):
        # Of a grant with one need, each piece that is given is common.
        done.spend(len(givers) * (len(each) - len(givers) + (len(common) if len(claims) > 1 else 0)))
        for claim in each:
            if claim.given:
                if len(claims) > 1 and not any(overlap(claim.piece, piece) for piece in common):
                    done.warn(_needs_more(claim, grant))
                continue
            if _DENY in claim.stanza.capabilities or (common and _takes_away(claim, givers)):
                denied.setdefault(_text(grant.target, claim.piece), set()).add(grant.action.value)
                _warn_of_losses(claim, givers, grant, done)
            elif some := need[1] & claim.stanza.capabilities:
                done.warn(
                    f'path "{claim.stanza.path}": {_listed(some)} alone gives nothing here; the action'
                    f" {grant.action.value} needs {_listed(need[1] - some)} too"
                )


def _common(one: Piece, other: Piece) -> Piece | None:
    if within(one, other):
        return one
    return other if within(other, one) else None


def _takes_away(claim: Claim, givers: Iterable[Claim]) -> bool:
    """Whether a wider path gives what this one does not."""
    return any(other.order < claim.order and overlap(other.piece, claim.piece) for other in givers)


def _warn_of_losses(claim: Claim, givers: Iterable[Claim], grant: Grant, done: Mapped) -> None:
    for other in givers:
        if other.order > claim.order and overlap(other.piece, claim.piece):
            done.warn(
                f'path "{other.stanza.path}": {grant.action.value} is lost, because "{claim.stanza.path}" does not give'
                " it and a denial wins here"
            )


def _needs_more(claim: Claim, grant: Grant) -> str:
    others = ", ".join(
        f"{_listed(capabilities)} at {'/'.join(template).replace('/**', '/…')}"
        for template, capabilities in grant.needs
    )
    return f'path "{claim.stanza.path}": the action {grant.action.value} is not given; it needs {others}'


def _unreached(stanza: Stanza, glob: Glob, mounts: Sequence[MountView], done: Mapped) -> None:
    """Say that a path gives nothing; refuse a denial that would be forgotten when something is mounted there."""
    done.spend(len(mounts))
    known = any(reach(glob, (*mount.prefix.segments, REST), folder=True) for mount in mounts)
    first = glob.segments[0] if glob.segments else ""
    if _DENY in stanza.capabilities and not known and first not in OWN:
        raise InvalidValue(
            f'path "{stanza.path[:200]}" is denied, but nothing is mounted there: mount it first, then write the policy'
        )
    done.warn(f'path "{stanza.path[:200]}" gives nothing: there is nothing behind it here')


def _text(target: Sequence[str], piece: Piece) -> str:
    parts = list(piece.parts)
    path = [parts.pop(0) if segment == ONE else segment for segment in target if segment != REST]
    return "/".join([*path, *parts, *([REST] if piece.rest else [])])


def _rules(effect: Effect, paths: Mapping[str, set[str]]) -> list[Rule]:
    """Rules of paths that have the same actions, in an order of their own."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for path, actions in _joined(paths).items():
        grouped.setdefault(tuple(sorted(actions)), []).append(path)
    return [Rule(effect, actions, tuple(sorted(found))) for actions, found in sorted(grouped.items())]


def _joined(paths: Mapping[str, set[str]]) -> Mapping[str, set[str]]:
    """The same, with a folder and all folders below it as one pattern."""
    joined = {path: set(actions) for path, actions in paths.items()}
    for path, actions in paths.items():
        folder = path.removesuffix("/*/**")
        if folder != path and "list" in actions and "list" in paths.get(folder, ()):
            for part in (path, folder):
                joined[part].discard("list")
            joined.setdefault(f"{folder}/{REST}", set()).add("list")
    return {path: actions for path, actions in joined.items() if actions}


def _listed(capabilities: Iterable[str]) -> str:
    return ", ".join(sorted(capabilities))
