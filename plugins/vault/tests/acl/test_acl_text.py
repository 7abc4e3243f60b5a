"""The text of a Vault policy: what is read, what is refused by name, and what is shown of rules."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path
from wardgate_vault.acl.hcl import MAX_TEXT, Stanza, decoded, parse
from wardgate_vault.acl.mapping import mapped
from wardgate_vault.acl.rendering import rendered

READ = frozenset({"read"})
MOUNTS = (MountView(Path(("secret",)), {}, Capabilities()),)


@pytest.mark.parametrize(
    "text",
    [
        'path "a/b" { capabilities = ["read"] }',
        '# a comment\n// another\n/* and\none */ path "/a/b" {\n  capabilities = ["read",]\n}\n',
        'name = "x"\n"path" "a/b" { "capabilities" = ["read"], comment = "why" }',
        'path "a/b" = { capabilities = ["read"] }',
        '{"path": {"a/b": {"capabilities": ["read"]}}}',
        '{"name": "x", "path": [{"a/b": {"capabilities": ["read"]}}]}',
    ],
)
def test_the_ways_to_write_a_path(text: str) -> None:
    """HCL with its comments, and JSON."""
    assert (Stanza("a/b", READ),) == parse(text)


def test_equal_paths_are_merged_and_deny_stands_alone() -> None:
    """As Vault merges them."""
    text = """
        path "a" { capabilities = ["read"] } path "a" { capabilities = ["list"] }
        path "b" { capabilities = ["deny", "read"] }
    """

    assert (Stanza("a", frozenset({"read", "list"})), Stanza("b", frozenset({"deny"}))) == parse(text)


@pytest.mark.parametrize(
    "field",
    [
        'allowed_parameters = { "x" = ["1"] }', "denied_parameters = {}", 'required_parameters = ["x"]',
        'min_wrapping_ttl = "1s"', "max_wrapping_ttl = 60", 'mfa_methods = ["x"]', "control_group { factor = 1 }",
        "pagination_limit = 5", 'expiration = "2030-01-01T00:00:00Z"',
    ],
)  # fmt: skip
def test_what_would_be_widened_is_refused_by_name(field: str) -> None:
    """A path that Vault narrows further is never kept without that."""
    with pytest.raises(InvalidValue, match=field.split(maxsplit=1)[0]):
        parse(f'path "a" {{ capabilities = ["read"]\n {field} }}')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('path "a" { capabilities = ["fly"] }', 'invalid capability "fly"'),
        ('path "a" { nope = 1 }', 'invalid key "nope"'),
        ('path "a" { policy = "write" }', "policy"),
        ('path "a" { capabilities = "read" }', "list of texts"),
        ('path "a" { capabilities = ["${var.x}"] }', "not evaluated"),
        ('path "a" { capabilities = ["read"] capabilities = ["list"] }', "twice"),
        ('path "a" {', "expected a key"),
        ('path "a" { allowed_parameters = {', "missing"),
        ("path a { }", "quotes"),
        ("variable x {}", 'invalid key "variable"'),
        ('path "a" { capabilities = <<EOT\nread\nEOT\n}', "cannot be read"),
        ('path "a\\q" { }', "escape"),
        ("{", "no JSON"),
        ('{"path": {"a": 1}}', "object"),
        ('{"rules": {}}', "invalid key"),
        ("x" * (MAX_TEXT + 1), "longer than"),
        ("\n".join(f'path "a{n}" {{}}' for n in range(251)), "more than 250"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    """With a sentence that says where or what."""
    with pytest.raises(InvalidValue, match=said):
        parse(text)


@given(text=st.text(alphabet='path "a/b*+{}[]=,\n#/\\capabilities read', max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else comes of it, and it ends."""
    try:
        parse(text)
    except InvalidValue:
        return


def test_base64_is_read_as_what_it_holds() -> None:
    """Some clients send it so; anything else is the policy itself."""
    text = 'path "a" { capabilities = ["read"] }'

    assert text == decoded(base64.b64encode(text.encode()).decode())
    assert text == decoded(text)


def test_a_policy_is_shown_as_it_was_written() -> None:
    """Byte for byte, comments and all."""
    text = '# mine\npath "secret/data/a" { capabilities = ["read"] }'

    assert text == rendered(Policy("p", mapped(parse(text), MOUNTS).rules, text=text), MOUNTS)


def test_rules_are_shown_as_paths_that_mean_the_same() -> None:
    """What is shown of rules, written again, is the same rules."""
    rules = (
        Rule(Effect.ALLOW, ("describe", "list", "read", "write"), ("secret/app/**",)),
        Rule(Effect.DENY, ("delete", "read", "write"), ("secret/app/*/x",)),
    )

    assert rules == mapped(parse(rendered(Policy("p", rules), MOUNTS)), MOUNTS).rules


def test_what_cannot_be_shown_is_a_comment() -> None:
    """Never a path that says something else."""
    rules = (
        Rule(Effect.ALLOW, ("read",), ("secret/team-*/x",)),
        Rule(Effect.ALLOW, ("*",), ("**",)),
        Rule(Effect.ALLOW, ("read",), ("secret/**",), "source in ['10.0.0.0/8']"),
    )

    shown = rendered(Policy("p", rules), MOUNTS)

    assert all(line.startswith("#") for line in shown.splitlines())
    assert "allow less than the rules" in shown.splitlines()[1]
    assert "rule 3 has a condition, which cannot be said here" in shown
    assert "source in ['10.0.0.0/8']" in shown


@pytest.mark.parametrize(
    "denial",
    [
        Rule(Effect.DENY, ("read",), ("secret/app/**",), "source in ['10.0.0.0/8']"),
        Rule(Effect.DENY, ("read",), ("secret/team-*/x",)),
        Rule(Effect.DENY, ("read",), ("secret/app/x", "secret/team-*")),
        Rule(Effect.DENY, ("*",), ("**",)),
    ],
)
def test_what_a_denial_narrows_is_not_shown_without_it(denial: Rule) -> None:
    """A text that leaves it out would allow more than the rules do."""
    allow = Rule(Effect.ALLOW, ("read",), ("secret/**",))

    shown = rendered(Policy("p", (allow, denial)), MOUNTS)

    assert all(line.startswith("#") for line in shown.splitlines())
    assert "A denial cannot be said" in shown
    assert '"secret/**"' in shown
