"""The gateway's rules as the text of a Vault policy, for people to read; what Vault cannot say is a comment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from wardgate.spi.frontend import MountView
from wardgate.spi.operations.policies import Effect, Policy, Rule

from wardgate_vault.acl.globs import REST
from wardgate_vault.acl.surfaces import Grant, grants_of

_ANY = "*"


_HEAD = "# Written as rules, of which a denial wins over all others wherever it stands."
_LESS = "# What cannot be said in Vault's paths is a comment: the paths alone allow less than the rules."
_NONE = "# A denial cannot be said in Vault's paths, and without it they would allow too much: all is comments."


def rendered(policy: Policy, mounts: Iterable[MountView]) -> str:
    """The text of a policy: the one it was written as, or what its rules come to, never more than they allow."""
    if policy.text:
        return policy.text
    if not policy.rules:
        return ""
    grants = grants_of(tuple(mounts))
    said = [_said(rule, grants) for rule in policy.rules]
    unsaid = {rule.effect for rule, paths in zip(policy.rules, said, strict=True) if paths is None}
    blocks = [_HEAD, *([_NONE] if Effect.DENY in unsaid else [_LESS] if unsaid else [])]
    for number, (rule, paths) in enumerate(zip(policy.rules, said, strict=True), start=1):
        fields = {"effect": rule.effect.value, "actions": rule.actions, "paths": rule.paths}
        shown = json.dumps({**fields, "when": rule.when} if rule.when else fields, ensure_ascii=False)
        why = " has a condition, which" if rule.when else ""
        blocks.append(
            f"# rule {number}{why} cannot be said here: {shown}" if paths is None else f"# rule {number}: {shown}"
        )
        if paths is not None and Effect.DENY not in unsaid:
            blocks += _blocks(rule.effect, paths)
    return "\n".join(blocks) + "\n"


def _said(rule: Rule, grants: Sequence[Grant]) -> dict[str, set[str]] | None:
    """The rule in Vault's paths; None where they cannot say it. All paths of a denial must be among them."""
    paths: dict[str, set[str]] = {}
    for path in () if rule.when else rule.paths:
        found: dict[str, set[str]] = {}
        for grant in grants:
            if rule.actions == (_ANY,) or grant.action.value in rule.actions:
                _add(found, path.split("/"), grant)
        if not found and rule.effect is Effect.DENY:
            return None
        for one, capabilities in found.items():
            paths.setdefault(one, set()).update(capabilities)
    return paths or None


def _blocks(effect: Effect, paths: Mapping[str, set[str]]) -> list[str]:
    deny = effect is Effect.DENY
    return [
        f"path {json.dumps(path, ensure_ascii=False)} {{\n"
        f"  capabilities = {json.dumps(['deny'] if deny else sorted(capabilities))}\n}}"
        for path, capabilities in sorted(paths.items())
    ]


def _add(paths: dict[str, set[str]], pattern: Sequence[str], grant: Grant) -> None:
    """Vault's paths for one of ours, where its words reach exactly as far."""
    prefix = [segment for segment in grant.target if segment != REST]
    if grant.target[-1] == REST and list(pattern[: len(prefix)]) == prefix and len(pattern) > len(prefix):
        below = pattern[len(prefix) :]
        if any("*" in segment and segment not in {_ANY, REST} for segment in below):
            return
        rest = "/".join("*" if segment == REST else "+" if segment == _ANY else segment for segment in below)
        for template, capabilities in grant.needs:
            paths.setdefault("/".join([*template[:-1], rest]), set()).update(capabilities)
    elif list(pattern) == prefix:
        for template, capabilities in grant.needs:
            paths.setdefault("/".join(template).removesuffix(f"/{REST}").replace(_ANY, "+"), set()).update(capabilities)
