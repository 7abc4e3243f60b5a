"""What a policy of Vault's allows here beyond its words is told to whoever writes it."""

from __future__ import annotations

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tests.support.gateway_rules import allowed
from tests.support.vault_acl import allows
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action
from wardgate.spi.path import Path
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.acl.mapping import mapped
from wardgate_vault.acl.ties import ties

MOUNTS = (
    MountView(Path(("s",)), {"vault.kv": "2"}, Capabilities()),
    MountView(Path(("k",)), {"vault.kv": "1"}, Capabilities()),
)
NAMES = st.sampled_from(["a", "ab", "b"])
CAPABILITIES = st.frozensets(st.sampled_from(["create", "update", "patch", "list", "scan", "read", "deny"]), max_size=5)
STARTS = st.sampled_from(["s/data", "s/metadata", "s/metadata", "s/+", "k", "+", "s"])
ENDS = st.sampled_from(["", "*", "/*", "/", "/a*"])
PATHS = st.builds(
    lambda start, below, end: "/".join([start, *below]) + end,
    STARTS,
    st.lists(st.one_of(NAMES, st.just("+")), max_size=3),
    ENDS,
)
POLICIES = st.dictionaries(PATHS, st.one_of(CAPABILITIES, st.just(frozenset({"create", "update", "list", "scan"}))))


@settings(max_examples=500, deadline=None)
@given(policy=POLICIES, below=st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_patch_or_scan_beyond_the_policy_s_words_is_told(
    policy: dict[str, frozenset[str]], below: list[list[str]]
) -> None:
    """For every policy: where its rules allow one that Vault would not, there is a warning."""
    stanzas = [Stanza(path, frozenset({"deny"}) if "deny" in found else found) for path, found in policy.items()]
    try:
        rules = mapped(stanzas, MOUNTS).rules
    except InvalidValue:
        reject()
    told = " ".join(ties(stanzas, MOUNTS))
    for rest in below:
        asked = {
            (Action.WRITE, "s", "patch", f"s/data/{'/'.join(rest)}"),
            (Action.ANNOTATE, "s", "patch", f"s/metadata/{'/'.join(rest)}"),
            (Action.LIST, "s", "scan", f"s/metadata/{'/'.join(rest)}/"),
            (Action.LIST, "k", "scan", f"k/{'/'.join(rest)}/"),
        }
        for action, mount, word, path in asked:
            if allowed(rules, action, [mount, *rest]) and not allows(policy, word, path):
                assert f"{word.upper()} is allowed too" in told, (path, rules)


@pytest.mark.parametrize(
    ("path", "capabilities", "expected"),
    [
        ("s/data/a/*", "create update", 'PATCH is allowed too: here create and update give it, at "s/data/a/*"'),
        ("s/metadata/a", "create update", 'PATCH is allowed too: here create and update give it, at "s/metadata/a"'),
        ("s/data/a/*", "create read update patch", ""),
        ("s/data/a/*", "update read", ""),
        ("s/data/a/*", "patch read", 'PATCH is not allowed: here create and update give it, at "s/data/a/*"'),
        ("s/metadata/*", "list", 'SCAN is allowed too: here list gives it, at "s/metadata/*"'),
        ("s/metadata/*", "list scan", ""),
        ("s/metadata/+", "list scan", 'SCAN is allowed too: here list gives it, at "s/metadata/+"'),
        ("s/metadata/*", "scan read", 'SCAN is not allowed: here list gives it, at "s/metadata/*"'),
        ("s/data/*", "read list", ""),
        ("k/a/*", "create update list", 'SCAN is allowed too: here list gives it, at "k/a/*"'),
        ("s/config", "update read", ""),
        ("auth/approle/role", "list", ""),
        ("s/metadata/*", "deny", ""),
    ],
)
def test_what_is_told_of_one_path(path: str, capabilities: str, expected: str) -> None:
    """More, less, or nothing where it says both, or neither is asked there."""
    assert expected == " ".join(ties([Stanza(path, frozenset(capabilities.split()))], MOUNTS))


def test_a_narrower_path_that_vault_scans_by_is_looked_at() -> None:
    """The wider one decides who lists the folder itself, and the narrower one who scans it."""
    both = frozenset({"list", "scan"})
    wide, narrow = Stanza("s/metadata/*", both), Stanza("s/metadata/a/*", frozenset({"read"}))

    assert ('SCAN is allowed too: here list gives it, at "s/metadata/*"',) == ties([wide, narrow], MOUNTS)
    assert () == ties([wide, Stanza("s/metadata/a/*", both)], MOUNTS)


def test_every_path_is_named_once_however_many_mounts_it_reaches() -> None:
    """One sentence for all of them."""
    many = [MountView(Path((f"m{number}",)), {"vault.kv": "2"}, Capabilities()) for number in range(3)]
    stanzas = [Stanza("+/metadata/a/*", frozenset({"list"})), Stanza("+/metadata/b/*", frozenset({"list"}))]

    assert ('SCAN is allowed too: here list gives it, at "+/metadata/a/*", "+/metadata/b/*"',) == ties(stanzas, many)
