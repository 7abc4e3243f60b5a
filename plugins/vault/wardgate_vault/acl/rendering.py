"""The gateway's rules as the text of a Vault policy, for people to read; what Vault cannot say is a comment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from wardgate.spi.frontend import MountView
from wardgate.spi.operations.policies import Effect, Policy, Rule

from wardgate_vault.acl.globs import REST
from wardgate_vault.acl.surfaces import Grant, grants_of

_ANY = "*"


def rendered(policy: Policy, mounts: Iterable[MountView]) -> str:
    """The text of a policy: the one it was written as, or what its rules come to."""
    if policy.text:
        return policy.text
    grants = grants_of(tuple(mounts))
    blocks = ["# Written as rules, of which a denial wins over all others wherever it stands."] if policy.rules else []
    for number, rule in enumerate(policy.rules, start=1):
        blocks += _rule(number, rule, grants)
    return "\n".join(blocks) + ("\n" if blocks else "")


def _rule(number: int, rule: Rule, grants: Sequence[Grant]) -> list[str]:
    shown = json.dumps({"effect": rule.effect.value, "actions": rule.actions, "paths": rule.paths}, ensure_ascii=False)
    if rule.when:
        return [f"# rule {number} has a condition, which cannot be said here: {shown}"]
    paths: dict[str, set[str]] = {}
    for path in rule.paths:
        for grant in grants:
            if rule.actions == (_ANY,) or grant.action.value in rule.actions:
                _add(paths, path.split("/"), grant)
    if not paths:
        return [f"# rule {number} cannot be said here: {shown}"]
    return [f"# rule {number}: {shown}", *_blocks(rule.effect, paths)]


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
