"""Policies of Vault's as rules: what one policy allows here, Vault would allow too; what cannot be said is refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tests.support.gateway_rules import allowed
from tests.support.vault_acl import allows
from wardgate.pipeline.authorize.validation import validate
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.acl.mapping import Mapped, mapped

MOUNTS = (
    MountView(Path(("s",)), {"vault.kv": "2"}, Capabilities()),
    MountView(Path(("k", "v")), {"vault.kv": "1"}, Capabilities()),
)
SECOND = {
    Action.READ: [("read", "data")],
    Action.WRITE: [("create", "data"), ("update", "data")],
    Action.DELETE: [("delete", "data"), ("update", "delete")],
    Action.UNDELETE: [("update", "undelete")],
    Action.DESTROY: [("update", "destroy"), ("delete", "metadata")],
    Action.DESCRIBE: [("read", "metadata")],
    Action.ANNOTATE: [("create", "metadata"), ("update", "metadata")],
    Action.LIST: [("list", "metadata")],
}
"""What each action is in Vault's requests, said here once more: by hand, and not from the code under test."""
CONFIG = {Action.DESCRIBE: ["read"], Action.ANNOTATE: ["update"]}
"""The same, of a mount's own prefix: the settings of all its secrets."""
FIRST = {
    Action.READ: ["read"], Action.WRITE: ["create", "update"], Action.DELETE: ["delete"], Action.DESTROY: ["delete"],
    Action.LIST: ["list"],
}  # fmt: skip


def requests_of(action: Action, path: Sequence[str]) -> list[tuple[str, str]]:
    """The requests of Vault's that an action here stands for; none where it stands for nothing of Vault's."""
    slash = "/" if action is Action.LIST else ""
    if path == ["s"] and action is not Action.LIST:
        return [(wanted, "s/config") for wanted in CONFIG.get(action, [])]
    if path[0] == "s":
        return [(wanted, "/".join(("s", kind, *path[1:])) + slash) for wanted, kind in SECOND.get(action, [])]
    return [(wanted, "/".join(path) + slash) for wanted in FIRST.get(action, [])]


NAMES = st.sampled_from(["a", "ab", "b"])
SEGMENTS = st.one_of(NAMES, st.just("+"))
STARTS = st.sampled_from(
    [
        "s/data", "s/data", "s/metadata", "s/metadata", "s/delete", "s/destroy", "s/undelete", "s/config", "s/+", "s",
        "k/v", "k/v", "k/+", "+/data", "+/+",
    ]
)  # fmt: skip
ENDS = st.sampled_from(["", "", "*", "/*", "/", "a*"])
CAPABILITIES = st.frozensets(st.sampled_from(["create", "read", "update", "delete", "list", "deny", "sudo", "patch"]))
WRITES = st.sampled_from([frozenset({"create", "update", "read", "list", "delete"}), frozenset({"read", "list"})])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """A path of a policy."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(["*", "s*", "s/*", "s/d*", "s/m*", "k*", "k/v*", "+/*", "s/+/*", "k/v/*"]))
    text = "/".join([draw(STARTS), *draw(st.lists(SEGMENTS, max_size=3))])
    end = draw(ENDS)
    return text + ("/" + end if end == "a*" else end)


POLICIES = st.dictionaries(patterns(), st.one_of(CAPABILITIES, WRITES), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(policy=POLICIES, below=st.lists(st.lists(NAMES, max_size=4), min_size=1, max_size=12))
def test_what_is_allowed_here_vault_would_allow(policy: dict[str, frozenset[str]], below: list[list[str]]) -> None:
    """For every policy, action and path: allowed by the rules, so allowed for each request it stands for."""
    stanzas = [Stanza(path, frozenset({"deny"}) if "deny" in found else found) for path, found in policy.items()]
    try:
        rules = mapped(stanzas, MOUNTS).rules
    except InvalidValue:
        reject()
    validate(Policy("generated", rules))
    for prefix in (["s"], ["k", "v"]):
        for rest in below:
            path = [*prefix, *rest]
            for action in Action:
                if not allowed(rules, action, path):
                    continue
                asked = requests_of(action, path)
                assert asked, (action, path)
                assert [] == [one for one in asked if not allows(policy, *one)], (action, path, rules)


ALL, DENY = frozenset({"create", "read", "update", "delete", "list", "sudo", "patch"}), frozenset({"deny"})
WIDE: dict[str, Callable[[int], tuple[str, frozenset[str]]]] = {
    "each within the one before": lambda n: (f"+/+/{'a' * n}*", ALL),
    "allowed and denied in turn": lambda n: (f"+/+/{'+/' * (n % 28)}{'a' * (n // 28)}*", ALL if n % 2 else DENY),
    "deep": lambda n: (f"{'+/' * 28}a{n}*", ALL if n % 2 else DENY),
    "too deep": lambda n: (f"{'+/' * 100}a{n}*", ALL),
}


@pytest.mark.parametrize("stanza", WIDE.values(), ids=WIDE.keys())
@pytest.mark.parametrize("many", [0, 200])
def test_what_would_take_long_is_refused(stanza: Callable[[int], tuple[str, frozenset[str]]], many: int) -> None:
    """Before it is done; it once took twenty seconds (a bound far above the cost, not a timing)."""
    mounts = [MountView(Path((f"m{number}",)), {"vault.kv": "2"}, Capabilities()) for number in range(many)]
    started = time.process_time()
    with pytest.raises(InvalidValue, match=r"split it|segments"):
        mapped([Stanza(*stanza(number)) for number in range(245)], [*MOUNTS, *mounts])
    assert time.process_time() - started < 2


def test_a_long_policy_of_narrow_paths_is_read() -> None:
    """As many as a policy may have, in one mount, half of them denied."""
    given = [Stanza(f"s/data/app{number}/*", ALL) for number in range(125)]
    denied = [Stanza(f"s/data/app{number}/x", DENY) for number in range(125)]

    assert 250 == sum(len(rule.paths) for rule in mapped([*given, *denied], MOUNTS).rules)


def mapping(*stanzas: tuple[str, str]) -> Mapped:
    return mapped([Stanza(path, frozenset(given.split())) for path, given in stanzas], MOUNTS)


def test_a_usual_policy_keeps_what_it_says() -> None:
    """Not everything is taken away: read, write and list below a folder."""
    done = mapping(("s/data/app/*", "create read update"), ("s/metadata/app/*", "list read"))

    assert (Rule(Effect.ALLOW, ("describe", "list", "read", "write"), ("s/app/**",)),) == done.rules
    assert [] == done.warnings


def test_the_settings_of_a_mount_are_its_prefix() -> None:
    """Read and written; a pattern over all of the mount reaches them too."""
    for text in ("s/config", "s/*"):
        rules = mapping((text, "read update")).rules
        assert allowed(rules, Action.DESCRIBE, ["s"])
        assert allowed(rules, Action.ANNOTATE, ["s"])
    rules = mapping(("s/metadata/*", "create read update")).rules
    assert not allowed(rules, Action.DESCRIBE, ["s"])


def test_a_narrower_path_takes_away_what_a_wider_one_gives() -> None:
    """As in Vault, where the most specific path alone decides."""
    done = mapping(("s/data/*", "read"), ("s/data/a/*", "create update"))

    assert allowed(done.rules, Action.READ, ["s", "b"])
    assert not allowed(done.rules, Action.READ, ["s", "a", "x"])
    assert allowed(done.rules, Action.WRITE, ["s", "a", "x"])


def test_a_denial_is_one_for_every_policy() -> None:
    """It stands as a rule even where this policy allows nothing."""
    rules = mapping(("s/data/a", "deny"), ("s/data/b", "read")).rules

    assert Rule(Effect.DENY, ("delete", "read", "write"), ("s/a",)) in rules


def test_delete_needs_both_of_vault_s_paths() -> None:
    """One action here stands for two requests there; where only one is given, it is not given, and that is said."""
    alone = mapping(("s/data/*", "read delete"))
    both = mapping(("s/data/*", "read delete"), ("s/delete/*", "update"))

    assert not allowed(alone.rules, Action.DELETE, ["s", "x"])
    assert ["delete is not given" in warning for warning in alone.warnings] == [True]
    assert allowed(both.rules, Action.DELETE, ["s", "x"])


def test_writing_needs_create_and_update() -> None:
    """Half of it gives nothing, and that is said."""
    done = mapping(("s/data/*", "read create"))

    assert not allowed(done.rules, Action.WRITE, ["s", "x"])
    assert ["needs update too" in warning for warning in done.warnings] == [True]


def test_the_first_version_s_paths_are_plain() -> None:
    """A delete there destroys."""
    rules = mapping(("k/v/app/*", "create read update delete list")).rules

    assert (Rule(Effect.ALLOW, ("delete", "destroy", "list", "read", "write"), ("k/v/app/**",)),) == rules


def test_services_are_reached_by_their_own_paths() -> None:
    """Tokens, AppRole, policies and mounts; what needs sudo there needs it here."""
    rules = mapping(
        ("auth/approle/role/app/secret-id", "update"), ("sys/policies/acl/*", "read list"),
        ("auth/token/create-orphan", "update"), ("sys/mounts/*", "read update delete"),
    ).rules  # fmt: skip

    assert allowed(rules, Action.WRITE, ["auth", "approle", "role", "app", "secret-id"])
    assert allowed(rules, Action.READ, ["sys", "policies", "p"])
    assert allowed(rules, Action.LIST, ["sys", "policies"])
    assert allowed(rules, Action.MANAGE, ["sys", "mounts", "x"])
    assert not allowed(rules, Action.MANAGE, ["sys", "policies", "p"])
    assert not allowed(rules, Action.MANAGE, ["auth", "token", "create-orphan"])


def test_login_methods_are_reached_by_their_names() -> None:
    """Their roles and they themselves, one or all; what is tuned is managed, and that needs sudo."""
    rules = mapping(
        ("sys/auth/ci", "update delete sudo"), ("sys/auth/ci/tune", "update sudo"),
        ("auth/ci/role/*", "create read update delete list"), ("auth/+/role/web/secret-id", "update"),
    ).rules  # fmt: skip

    for name, mine in (("ci", True), ("approle", False), ("cd", False)):
        assert mine is allowed(rules, Action.MANAGE, ["sys", "auth", name])
        assert mine is allowed(rules, Action.MANAGE, ["auth", name, "role", "app"])
        assert mine is allowed(rules, Action.WRITE, ["auth", name, "role", "app", "secret-id"])
        assert allowed(rules, Action.WRITE, ["auth", name, "role", "web", "secret-id"])


def test_the_paths_of_tokens_are_no_method_s() -> None:
    """Neither rules nor warnings speak of roles there."""
    done = mapping(("auth/token/*", "create read update list"))

    assert [] == [path for rule in done.rules for path in rule.paths if "role" in path]
    assert [] == [warning for warning in done.warnings if "delete" in warning]


@pytest.mark.parametrize(
    "path",
    [
        "s/data/a*b", "s/data/**", "s/data/+*", "s/data/+a", "s//x", "s/data/{{identity.entity.id}}", "s/../x",
        "s/data/a\\b",
    ],
)  # fmt: skip
def test_a_path_that_rules_cannot_say_is_refused(path: str) -> None:
    """With a sentence that names it, and never read as something wider."""
    with pytest.raises(InvalidValue, match="path "):
        mapping((path, "read"))


def test_a_denial_where_nothing_is_mounted_is_refused() -> None:
    """It would be forgotten when something is mounted there."""
    with pytest.raises(InvalidValue, match="mount it first"):
        mapping(("s/data/x", "read"), ("other/data/x", "deny"))


def test_a_policy_that_gives_nothing_here_is_refused() -> None:
    """Whoever writes it expects something of it."""
    with pytest.raises(InvalidValue, match="gives anything here"):
        mapping(("database/creds/x", "read"))
