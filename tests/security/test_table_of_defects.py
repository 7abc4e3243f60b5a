"""The table of defects that systems of this kind really had: for each, in a sentence, the tests that hold it off here.

A row whose subject is not built yet says so; whoever builds it fills the row in.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HOUSE = Path(__file__).resolve().parents[2]
SECURITY = "tests/security"
AUTHORIZE = "gateway/tests/authorize"
SERVICES = "gateway/tests/services"
STORE = "plugins/native/tests/store"
STATE = "gateway/tests/state"
VAULT = "plugins/vault/tests/backend"


class Row(NamedTuple):
    """``tests``: file and name of each; none where ``later`` says what is not built."""

    defect: str
    tests: tuple[str, ...] = ()
    later: str = ""


ROWS: dict[int, Row] = {
    # Paths and policy
    1: Row("A variant in another case escapes a deny.", (
        f"{AUTHORIZE}/test_policy_engine.py::test_a_case_variant_is_another_path_for_allow_and_deny_alike",
        f"{SECURITY}/test_policy_over_the_wire.py::test_no_spelling_reaches_what_is_denied",
    )),
    2: Row("A policy's name walks through the key of a cache of policies.", (
        f"{AUTHORIZE}/test_policy_engine.py::test_keys_of_the_memo_do_not_run_together",
        f"{AUTHORIZE}/test_policy_validation.py::test_a_name_outside_the_grammar_is_refused",
    )),
    3: Row("Two dots appear after decoding.", (
        "gateway/tests/spi/test_spi_path.py::test_decoding_happens_exactly_once",
        f"{SECURITY}/test_bad_input.py::test_a_bad_target_is_refused",
    )),
    4: Row("A list with a slash at its end skips a deny.", (
        f"{SECURITY}/test_policy_over_the_wire.py::test_a_denied_folder_cannot_be_listed_and_its_name_is_hidden",
        f"{SECURITY}/test_ways_round.py::test_no_scan_and_no_list_names_what_is_denied",
    )),
    5: Row("A star or slash within an identity's name widens a policy.", (
        f"{AUTHORIZE}/test_policy_engine.py::test_nothing_in_a_principal_s_name_or_id_is_a_pattern",
        f"{SECURITY}/test_makers_over_the_wire.py::test_no_token_becomes_another_by_its_name",
    )),
    6: Row("The Host header changes the path that is authorized.", (
        f"{SECURITY}/test_policy_over_the_wire.py::test_the_host_header_changes_nothing",
    )),
    7: Row("A path that does not begin with a slash.", (
        f"{SECURITY}/test_bad_input.py::test_targets_that_are_not_plain_paths_are_refused",
    )),
    8: Row("The cleaned path is checked and the raw one is executed.", (
        f"{AUTHORIZE}/test_authorize_layer.py::test_an_allowed_operation_passes_with_its_decision",
        f"{SECURITY}/test_ways_round.py::test_no_batch_reaches_what_is_denied",
    )),
    9: Row("A reserved name is made canonical only after it was checked.", (
        f"{AUTHORIZE}/test_policy_validation.py::test_a_reserved_name_is_refused_in_any_spelling",
    )),
    10: Row("A policy whose name differs from the almighty one's in case becomes it.", (
        f"{AUTHORIZE}/test_policy_validation.py::test_a_reserved_name_is_refused_in_any_spelling",
        f"{SECURITY}/test_token_limits.py::test_a_maker_gives_no_more_than_it_has",
    )),
    11: Row("Patterns match by operators that a dot, a newline or a star defeats.", (
        f"{AUTHORIZE}/test_policy_engine.py::test_casbin_s_unsafe_operators_are_not_used",
        f"{AUTHORIZE}/test_policy_reference.py::test_no_spelling_of_a_denied_path_passes",
    )),
    12: Row("Two different bytes decode to one text.", (
        "gateway/tests/spi/test_spi_path.py::test_any_bytes_are_a_canonical_path_or_refused",
        "gateway/tests/spi/test_spi_path.py::test_what_could_mean_two_things_is_refused",
    )),
    # Identity
    13: Row("A count of failures is dodged by an alias.", (
        f"{SECURITY}/test_known_defects.py::test_no_alias_of_an_id_logs_in",
        "gateway/tests/audit/test_audit_flood.py::test_failed_logins_use_up_the_sources_budget_and_good_ones_do_not",
    )),
    14: Row("What counts once is used twice, with spaces around it.", (
        f"{SECURITY}/test_known_defects.py::test_what_counts_once_counts_once_however_it_is_written",
        f"{SECURITY}/test_token_limits.py::test_uses_are_counted_exactly_over_all_workers",
    )),
    15: Row("The time of an answer tells an unknown name from a wrong secret.", (
        f"{SERVICES}/test_services_approle.py::test_a_failing_login_does_the_same_work_whatever_is_wrong",
        f"{SERVICES}/test_services_approle.py::test_each_failing_login_answers_alike",
    )),
    16: Row("A login by certificate is renewed with another certificate.", later="logins by certificate"),
    17: Row("A claim of a signed token is ignored for its type, or is not needed.", later="signed tokens of others"),
    18: Row("A proof of a cloud identity is sent to the attacker's host.", later="cloud identities"),
    19: Row("An expired credential is good until a cleaner has run.", (
        f"{SERVICES}/test_services_tokens.py::test_a_key_expires_to_the_nanosecond",
        f"{SECURITY}/test_identity.py::test_an_expired_token_is_refused_in_every_worker",
    )),
    20: Row("A plugin answers with an identity and an error at once.", (
        "gateway/tests/authenticate/test_authenticate_layer.py::test_a_broken_authenticator_lets_nobody_in",
    )),
    # Tenancy
    21: Row("An id of one tenant is good in another.", (
        f"{SECURITY}/test_ways_round.py::test_nothing_of_one_namespace_is_named_in_another",
        f"{SECURITY}/test_identity.py::test_namespaces_do_not_know_each_other_s_tokens",
    )),
    22: Row("What belonged to a deleted tenant lives on in a new one of its name.", (
        f"{SERVICES}/test_services_tree.py::test_a_new_namespace_of_an_old_name_inherits_nothing",
        f"{SERVICES}/test_services_tree.py::test_a_deleted_namespaces_keys_are_shredded",
    )),
    23: Row("A list without the tenant's filter.", (
        f"{SERVICES}/test_services_tree.py::test_nothing_of_another_namespace_is_in_any_answer",
        f"{STORE}/test_native_tampering.py::test_a_secret_of_another_mount_or_namespace",
    )),
    24: Row("An empty list skips the check of rights.", (
        f"{SECURITY}/test_known_defects.py::test_an_empty_list_skips_no_check",
    )),
    # Leaks
    25: Row("An error echoes what was sent.", (
        f"{SECURITY}/test_secrecy.py::test_errors_do_not_echo_what_was_sent",
        f"{SERVICES}/test_services_tree.py::test_a_refused_option_is_not_quoted",
    )),
    26: Row("The audit leaves bytes or raw bodies unhashed.", (
        f"{SECURITY}/test_secrecy.py::test_nothing_left_on_disk_holds_a_canary",
        f"{SECURITY}/test_ways_round.py::test_the_audit_has_no_value_and_no_name_of_a_field",
        f"{SECURITY}/test_token_limits.py::test_neither_token_nor_secret_id_is_in_the_audit",
    )),
    27: Row("What is to be hidden is shown, and the other way round.", (
        "gateway/tests/spi/test_spi_options.py::test_secrets_do_not_show",
        f"{VAULT}/test_vault_options.py::test_secret_options_are_declared_as_such",
        f"{SECURITY}/test_secrecy_seeing.py::test_no_value_and_no_token_is_seen",
    )),
    28: Row("The caller's token is forwarded to a store.", (
        f"{SECURITY}/test_known_defects.py::test_the_caller_s_token_stays_here",
    )),
    29: Row("A trace of an error shows what it worked on.", (
        "gateway/tests/accept/test_accept_layer.py::test_an_error_is_answered_and_logged_without_its_text",
        "gateway/tests/audit/test_audit_layer.py::test_a_defect_leaks_nothing",
    )),
    # Denial of service, requests on another's behalf, injection
    30: Row("JSON that is small on the wire and large, deep or ambiguous when it is read.", (
        f"{SECURITY}/test_bad_input.py::test_a_bad_body_is_refused_in_vault_s_form",
        "gateway/tests/spi/test_spi_strict_json.py::test_ambiguous_or_hostile_json_is_refused",
        f"{SECURITY}/test_amplification.py::test_a_batch_of_one_large_secret_is_bounded",
    )),
    31: Row("A rate is not counted for bodies that are forms.", (
        f"{SECURITY}/test_known_defects.py::test_a_rate_holds_for_every_kind_of_body",
    )),
    32: Row("A key ceremony is cancelled by anyone.", (
        f"{SECURITY}/test_known_defects.py::test_no_endpoint_of_a_key_ceremony_is_there",
    )),
    33: Row("The gateway is made to ask another address: by a tenant's mount, a redirect, the environment.", (
        f"{SECURITY}/test_identity.py::test_a_namespace_mounts_other_machines_only_by_the_operator_s_leave",
        f"{VAULT}/test_vault_failures.py::test_a_redirect_does_not_carry_the_token_away",
        f"{VAULT}/test_vault_failures.py::test_the_environment_says_nothing",
    )),
    34: Row("A name becomes part of a statement of a rotation.", later="rotation of databases' users"),
    35: Row("The path of an audit's file, set over the API, becomes code.", (
        f"{SECURITY}/test_known_defects.py::test_no_endpoint_makes_an_audit_sink_or_a_file",
    )),
    36: Row("What is read becomes code.", (
        f"{SECURITY}/test_known_defects.py::test_nothing_read_becomes_code",
        f"{SECURITY}/test_amplification.py::test_a_condition_out_of_proportion_is_refused_quickly",
    )),
    37: Row("A limit of zero or less dodges the size of a page.", (
        f"{SECURITY}/test_bad_input.py::test_a_page_limit_cannot_dodge_the_cap",
    )),
    38: Row("A compressed body is a bomb.", (
        f"{SECURITY}/test_bad_input.py::test_a_compressed_body_is_refused_unread",
        f"{VAULT}/test_vault_hostile.py::test_a_packed_answer_is_not_unpacked",
    )),
    39: Row("A secret's name is a file's name.", (
        f"{SECURITY}/test_known_defects.py::test_no_secret_s_name_is_a_file_s_name",
    )),
    # Found on another system while it was measured
    40: Row("A deny of all below a folder leaves the folder's own listing.", (
        f"{AUTHORIZE}/test_policy_engine.py::test_a_deny_of_a_folder_stops_its_listing",
        f"{SECURITY}/test_policy_over_the_wire.py::test_a_denied_folder_cannot_be_listed_and_its_name_is_hidden",
    )),
    41: Row("A path of metadata with encoded dots crosses policies.", (
        f"{SECURITY}/test_policy_over_the_wire.py::test_no_spelling_reaches_what_is_denied",
        f"{SECURITY}/test_ways_round.py::test_no_merge_and_no_older_kv_reaches_what_is_denied",
    )),
    42: Row("A body of many small items, sent by nobody, holds the server up.", (
        f"{SECURITY}/test_known_defects.py::test_a_body_of_many_small_items_costs_nobody_much",
    )),
    43: Row("The names of a secret's fields stand in the audit.", (
        f"{SECURITY}/test_ways_round.py::test_the_audit_has_no_value_and_no_name_of_a_field",
    )),
    44: Row("Malformed requests are never answered.", (
        f"{SECURITY}/test_malformed_requests.py::test_each_is_answered_or_its_connection_closed",
        f"{SECURITY}/test_malformed_requests.py::test_none_is_answered_with_a_5xx",
        f"{SECURITY}/test_slow_clients.py::test_others_are_served_while_slow_clients_of_all_kinds_hold_on",
    )),
}  # fmt: skip


@cache
def names_in(file: str) -> frozenset[str]:
    """The names of all tests that a file defines."""
    tree = ast.parse((HOUSE / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_number_has_its_row() -> None:
    """From the first to the last, each with a sentence, and with a test or what it waits for."""
    assert list(range(1, 45)) == list(ROWS)
    for row in ROWS.values():
        assert row.defect.endswith(".")
        assert bool(row.tests) != bool(row.later)


@pytest.mark.parametrize("number", ROWS)
def test_the_tests_of_a_row_are_there(number: int) -> None:
    """A test that was renamed or removed takes its name out of here too."""
    for named in ROWS[number].tests:
        file, _, name = named.partition("::")
        assert name in names_in(file), named


def test_a_name_that_is_gone_is_found() -> None:
    """The check above can fail."""
    assert "test_that_never_was" not in names_in(f"{SECURITY}/test_table_of_defects.py")
