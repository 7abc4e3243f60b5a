"""The policy document: one structure, written as TOML in files and as JSON over APIs.

::

    name = "billing"

    [[rules]]
    effect = "allow"
    actions = ["read", "list"]
    paths = ["secret/billing/**"]

This reads the structure alone; what names, actions and patterns are valid, the gateway says when a policy is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.options import nearest

_POLICY_KEYS = ("name", "rules")
_RULE_KEYS = ("effect", "actions", "paths", "when")
_EFFECTS = tuple(effect.value for effect in Effect)


def parse_policy(document: Mapping[str, Any], *, name: str = "") -> Policy:
    """Read a decoded document.

    Args:
        document: what a TOML or JSON decoder made.
        name: the name it is written under, where the caller knows it; the document may then leave it out.

    Raises:
        InvalidValue: an unknown key (with the nearest right one), a missing one, a wrong type, or another name.
    """
    of = f"policy {name!r}" if name else "the policy"
    check_keys(document, _POLICY_KEYS, of=of)
    found = document.get("name", name)
    if not isinstance(found, str) or not found:
        raise InvalidValue(f"{of}: 'name' must be text")
    if name and found != name:
        raise InvalidValue(f"{of}: the document names it {found[:80]!r}; let both agree")
    rules = document.get("rules", [])
    if not isinstance(rules, list):
        raise InvalidValue(f"{of}: 'rules' must be a list")
    return Policy(found, tuple(_rule(rule, f"{of}, rule {number}") for number, rule in enumerate(rules, start=1)))


def check_keys(document: object, known: Iterable[str], *, of: str) -> None:
    """Refuse what is no table, and keys nobody knows: a misspelt one must not silently mean nothing.

    Raises:
        InvalidValue: with the nearest right key.
    """
    if not isinstance(document, Mapping):
        raise InvalidValue(f"{of}: it must be a table of keys and values")
    allowed = tuple(known)
    for key in document:
        if key not in allowed:
            shown = str(key)[:80]
            raise InvalidValue(f"{of}: unknown key {shown!r}{nearest(shown, allowed)}")


def texts(value: object, *, of: str) -> tuple[str, ...]:
    """A list of texts as a tuple. Raises InvalidValue when it is anything else, a single text included."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidValue(f"{of} must be a list of texts")
    return tuple(value)


def _rule(document: object, of: str) -> Rule:
    check_keys(document, _RULE_KEYS, of=of)
    assert isinstance(document, Mapping)
    for key in ("effect", "actions", "paths"):
        if key not in document:
            raise InvalidValue(f"{of}: {key!r} is missing")
    effect, when = document["effect"], document.get("when", "")
    if effect not in _EFFECTS:
        raise InvalidValue(f"{of}: 'effect' must be 'allow' or 'deny'")
    if not isinstance(when, str):
        raise InvalidValue(f"{of}: 'when' must be text")
    return Rule(
        Effect(effect),
        texts(document["actions"], of=f"{of}: 'actions'"),
        texts(document["paths"], of=f"{of}: 'paths'"),
        when,
    )
