"""A small reference model of Vault's ACL: which capabilities one policy gives for a request, by its rules of matching.

Written after ``vault/acl.go`` of OpenBao 2.4 (``AllowOperation``, ``CheckAllowedFromNonExactPaths``): exact paths
first, then the most specific of the paths with ``+`` or ``*``; for a list both without and with the slash at its end.
"""

from __future__ import annotations

from collections.abc import Mapping

Policy = Mapping[str, frozenset[str]]
"""Paths as they are written, and their capabilities, those of equal paths merged."""


def allows(policy: Policy, capability: str, path: str) -> bool:
    """Whether the request is allowed; a list's or scan's path ends in a slash."""
    found = _deciding(policy, path, listing=capability == "list", naming=capability in {"list", "scan"})
    return found is not None and "deny" not in found and capability in found


def _deciding(policy: Policy, path: str, *, listing: bool, naming: bool) -> frozenset[str] | None:
    exact = {text: found for text, found in policy.items() if not _wild(text) and not text.endswith("*")}
    if path in exact:
        return exact[path]
    if naming and path.removesuffix("/") in exact:
        return exact[path.removesuffix("/")]
    if listing and path.endswith("/"):
        found = _nonexact(policy, path.removesuffix("/"))
        if found is not None:
            return found
    return _nonexact(policy, path)


def _wild(text: str) -> bool:
    return text == "+" or "/+" in text or text.startswith("+/")


def _nonexact(policy: Policy, path: str) -> frozenset[str] | None:
    candidates = []
    prefixes = [text[:-1] for text in policy if text.endswith("*") and not _wild(text) and path.startswith(text[:-1])]
    if prefixes:
        longest = max(prefixes, key=len)
        candidates.append(((len(longest), False, 0, len(longest), longest), policy[longest + "*"]))
    for text, found in policy.items():
        if not _wild(text):
            continue
        glob = text.endswith("*")
        plain = text[:-1] if glob else text
        if _segments_match(plain.split("/"), path.split("/"), glob=glob):
            pluses = plain.split("/").count("+")
            candidates.append(((text.index("+"), not glob, -pluses, len(plain), plain), found))
    return max(candidates)[1] if candidates else None


def _segments_match(wanted: list[str], found: list[str], *, glob: bool) -> bool:
    if len(found) < len(wanted) or (not glob and len(found) != len(wanted)):
        return False
    for index, part in enumerate(wanted):
        last = glob and index == len(wanted) - 1
        if not (part in {"+", found[index]} or (last and found[index].startswith(part))):
            return False
    return True
