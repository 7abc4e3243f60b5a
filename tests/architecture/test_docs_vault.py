"""The pages about Vault's API say what the code does: every endpoint, its methods, and every option."""

from __future__ import annotations

import re

from wardgate.spi.options import describe
from wardgate_vault import options as vault_options
from wardgate_vault.api import kv, kv1
from wardgate_vault.api.request import VERBS
from wardgate_vault.api.router import ROUTES

from tests.architecture.test_docs import default_of, rows, section

METHODS = {verb: method for method, verb in VERBS.items() if method != "PUT"}
"""The method that the page names for a verb; PUT is POST, as the page says."""


def test_vault_has_a_row_for_each_endpoint_with_its_methods() -> None:
    """From the tables of the Vault front-end."""
    declared = {"/".join(route.pattern): {METHODS[verb] for verb in route.verbs} for route in ROUTES}
    for kind, verbs in kv._KINDS.items():
        declared[f"MOUNT/{kind}{'' if kind == 'config' else '/**'}"] = {METHODS[verb] for verb in verbs}
    documented = {
        re.sub(r"\bNAME\b", "*", re.sub(r"\b(PATH|PREFIX)\b", "**", row[0])): set(row[1].split())
        for row in rows(section("vault", "What answers"))
    }
    assert declared == documented


def test_vault_compatibility_has_a_row_for_each_endpoint_with_its_methods() -> None:
    """What answers has one verdict, what does not has no route; and what is not plainly yes says what differs."""
    declared = {"/".join(route.pattern): {METHODS[verb] for verb in route.verbs} for route in ROUTES}
    declared |= {
        f"MOUNT/{kind}{'' if kind == 'config' else '/**'}": {METHODS[verb] for verb in verbs}
        for kind, verbs in kv._KINDS.items()
    }
    declared["MOUNT/**"] = {METHODS[verb] for verb in kv1._VERBS}
    found = {
        re.sub(r"\bNAME\b", "*", re.sub(r"\bPATH\b", "**", row[0])): row[1:]
        for row in rows(section("vault-compatibility", "Endpoints"))
    }
    assert {} == {one: row for one, row in found.items() if row[1] not in {"yes", "partly", "no"}}
    assert declared == {one: set(row[0].split()) for one, row in found.items() if row[1] != "no" or one in declared}
    assert [] == [one for one, row in found.items() if row[1] == "partly" and not row[2]]
    unanswered = [one for one, row in found.items() if row[1] == "no" and one not in declared]
    assert [] == [one for one in unanswered if any(route.takes(tuple(one.split("/"))) for route in ROUTES)]


def test_vault_has_a_row_for_each_option_of_the_backend() -> None:
    """Type, default and help are those of the declaration."""
    declared = [[one.name, one.type, default_of(one), one.help] for one in describe(vault_options.Options)]
    assert declared == rows(section("vault", "A Vault or OpenBao server behind"))
