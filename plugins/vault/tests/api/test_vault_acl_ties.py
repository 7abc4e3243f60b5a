"""What a policy of Vault's allows here beyond its words is told to whoever writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Rule
from wardgate.spi.path import Path
from wardgate_vault.acl.hcl import Stanza
from wardgate_vault.acl.mapping import mapped
from wardgate_vault.api.acl_ties import ties

from tests.end_to_end.vault_vectors import Response, Send, over_http
from tests.servers.gateway import running
from tests.servers.openbao import OpenBao
from tests.support.vault_acl import allows

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
parsed = cache(Pattern.parse)


def allowed(rules: tuple[Rule, ...], action: Action, path: list[str]) -> bool:
    """A denial wins; no rule denies."""
    target = Target(tuple(path), folder=action is Action.LIST)
    effects = {
        rule.effect
        for rule in rules
        if action.value in rule.actions and any(parsed(text).matches(target) for text in rule.paths)
    }
    return effects == {Effect.ALLOW}


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


POLICY = """
path "secret/data/app/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "secret/metadata/app/*" { capabilities = ["list", "read"] }
"""
REQUESTS = (
    ("POST", "data/app/x"), ("GET", "data/app/x"), ("PATCH", "data/app/x"), ("LIST", "metadata/app/y/"),
    ("SCAN", "metadata/app/y/"), ("GET", "metadata/app/x"), ("PATCH", "metadata/app/x"), ("DELETE", "data/app/x"),
    ("GET", "subkeys/app/x"), ("LIST", "detailed-metadata/app/y/"),
)  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[tuple[Send, str]]:
    """A gateway with all of its road."""
    with running(workers=1) as server:
        yield over_http(server.address), server.token


def _asked(send: Send, root: str) -> tuple[list[str], list[int]]:
    """The warnings of writing the policy, and the statuses of the requests by a token of it."""

    def ask(method: str, target: str, body: object, token: str = root) -> Response:
        merge = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        return send(method, f"/v1/{target}", {"X-Vault-Token": token, **merge}, json.dumps(body).encode())

    def found(response: Response) -> Any:
        return json.loads(response.body) if response.body else {}

    for name in ("x", "y/z"):
        assert ask("POST", f"secret/data/app/{name}", {"data": {"k": "v"}}).status == 200
    written = found(ask("PUT", "sys/policies/acl/tied", {"policy": POLICY}))
    token = found(ask("POST", "auth/token/create", {"policies": ["tied"]}))["auth"]["client_token"]
    statuses = [ask(method, f"secret/{path}", {"data": {"k": "w"}}, token).status for method, path in REQUESTS]
    return written.get("warnings", []), statuses


def test_what_is_more_than_a_real_server_gives_is_what_the_page_says(real: tuple[Send, str], openbao: OpenBao) -> None:
    """PATCH and SCAN with a warning each, two that show what may be read anyhow; the rest is equal or less."""
    warnings, ours = _asked(*real)
    _, theirs = _asked(over_http(openbao.address), openbao.token)

    more = [f"{request[0]} {request[1]}" for request, a, b in zip(REQUESTS, ours, theirs, strict=True) if a < 400 <= b]
    less = [f"{request[0]} {request[1]}" for request, a, b in zip(REQUESTS, ours, theirs, strict=True) if b < 400 <= a]
    assert more == ["PATCH data/app/x", "SCAN metadata/app/y/", "GET subkeys/app/x", "LIST detailed-metadata/app/y/"]
    assert less == ["DELETE data/app/x"]
    of_delete = "the action delete is not given; it needs delete at secret/data/…, update at secret/delete/…"
    assert [
        f'path "secret/data/app/*": {of_delete}',
        'PATCH is allowed too: here create and update give it, at "secret/data/app/*"',
        'SCAN is allowed too: here list gives it, at "secret/metadata/app/*"',
    ] == warnings
