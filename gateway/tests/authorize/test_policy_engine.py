"""The engine: default deny, deny wins, memo and epochs, loading and its failures, and the promises about paths."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from wardgate.context import Decision
from wardgate.pipeline.authorize import Engine, Extent
from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.conditions import compile_condition
from wardgate.pipeline.authorize.decider import Decider
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import PermissionDenied, Sealed, TooLarge, Unavailable
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.operations.secrets import ListSecrets, ReadSecret, WriteSecret
from wardgate.spi.operations.tokens import LookupSelf, RenewSelf, RevokeSelf
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value

FACTS = Arrival("id", 0, 0.0, "127.0.0.1")


@dataclass(frozen=True)
class Written:
    """What a namespace's state hands to the engine."""

    policies: tuple[Policy, ...]


@dataclass
class House:
    """Namespaces with policies, and an engine that reads them."""

    epochs: LocalEpochs = field(default_factory=LocalEpochs)
    written: dict[str, tuple[Policy, ...]] = field(default_factory=dict)
    failure: Exception | None = None
    reads: int = 0

    def __post_init__(self) -> None:
        self.engine = Engine(self.policies_of, self.epochs, remembered=100)

    def policies_of(self, namespace: str) -> Written:
        self.reads += 1
        if self.failure:
            raise self.failure
        return Written(self.written.get(namespace, ()))

    def write(self, *policies: Policy, namespace: str = "root") -> None:
        """Commit, then bump, as the state does."""
        self.written[namespace] = policies
        self.epochs.bump(self.epochs.slot("policies", namespace))

    def allows(self, who: Principal, operation: Operation[object]) -> bool:
        try:
            self.engine.require(who, operation, FACTS)
        except PermissionDenied:
            return False
        return True


@pytest.fixture
def house() -> House:
    return House()


def somebody(*policies: str, namespace: str = "root", name: str = "somebody") -> Principal:
    return Principal("p", namespace, name, "key", policies, "accessor")


def policy(name: str, *rules: tuple[str, str, str]) -> Policy:
    """``policy("p", ("allow", "read list", "a/** b/*"))``."""
    return Policy(name, tuple(Rule(Effect(e), tuple(a.split()), tuple(p.split())) for e, a, p in rules))


def read(path: str) -> ReadSecret:
    return ReadSecret(path=Path.parse(path))


def listing(path: str) -> ListSecrets:
    return ListSecrets(path=Path.parse(path) if path else ROOT)


READER = policy("reader", ("allow", "read list", "secret/**"))


def test_without_policies_everything_is_denied(house: House) -> None:
    """An empty list of policies skips no check."""
    house.write(READER)
    assert not house.allows(somebody(), read("secret/a"))
    assert not house.allows(somebody(), listing(""))


def test_what_no_rule_allows_is_denied(house: House) -> None:
    """Another action, another path, another policy's rule: each is a no."""
    house.write(READER, policy("other", ("allow", "write", "secret/**")))
    who = somebody("reader")
    assert house.allows(who, read("secret/a"))
    assert not house.allows(who, WriteSecret(path=Path.parse("secret/a"), value=Value(b"v")))
    assert not house.allows(who, read("other/a"))


def test_a_deny_wins_over_every_allow(house: House) -> None:
    """Whatever the order of policies and rules, and over the administrator's own."""
    denied = policy("no", ("deny", "*", "secret/a"))
    house.write(READER, denied)
    carried = [("reader", "no"), ("no", "reader"), ("administrator", "no"), ("no", "administrator", "reader")]
    assert [False] * 4 == [house.allows(somebody(*names), read("secret/a")) for names in carried]
    assert [True] * 4 == [house.allows(somebody(*names), read("secret/b")) for names in carried]


def test_a_decision_names_its_rule(house: House) -> None:
    """Policy and number of the rule, counted from 1."""
    house.write(policy("p", ("allow", "read", "a/*"), ("allow", "read", "b/*")))
    assert Decision("p", 2) == house.engine.require(somebody("p"), read("b/x"), FACTS)


def test_a_refusal_does_not_say_whether_a_rule_denied(house: House) -> None:
    """The message is the same for "no rule" and "a deny": it tells nothing about policies."""
    house.write(policy("p", ("allow", "read", "a/**"), ("deny", "read", "a/b")))
    with pytest.raises(PermissionDenied) as denied:
        house.engine.require(somebody("p"), read("a/b"), FACTS)
    with pytest.raises(PermissionDenied) as unknown:
        house.engine.require(somebody("p"), read("x/y"), FACTS)
    assert unknown.value.message == denied.value.message


def test_every_principal_carries_default(house: House) -> None:
    """Own-token operations pass without any policy, unless one denies them."""
    house.write(policy("frozen", ("deny", "write", "auth/token/*")))
    own = [LookupSelf(), RenewSelf(), RevokeSelf()]
    assert [True, True, True] == [house.allows(somebody(), operation) for operation in own]
    assert [True, False, False] == [house.allows(somebody("frozen"), operation) for operation in own]


def test_the_administrator_may_everything_in_its_namespace(house: House) -> None:
    """The root folder too; and rules of one namespace give nothing in another."""
    house.write(READER, namespace="tenant")
    assert house.allows(somebody("administrator"), listing(""))
    assert house.allows(somebody("administrator"), read("a/b/c"))
    assert not house.allows(somebody("reader"), read("secret/a"))
    assert house.allows(somebody("reader", namespace="tenant"), read("secret/a"))


def test_a_policy_that_does_not_exist_gives_nothing(house: House) -> None:
    """Names that look like patterns, like a built-in, or like another key are names of nothing."""
    house.write(READER)
    for name in ("", "*", "**", "Administrator", "root", "reader/../administrator", "rea*", "reader,administrator"):
        assert not house.allows(somebody(name), read("secret/a"))


def test_a_remembered_decision_asks_casbin_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a yes nor a no is decided twice while nothing changes."""
    house.write(READER)
    asked: list[object] = []
    original = Decider.allows

    def counted(*given: Any) -> bool:
        asked.append(given)
        return original(*given)

    monkeypatch.setattr(Decider, "allows", counted)
    for _ in range(3):
        assert house.allows(somebody("reader"), read("secret/a"))
        assert not house.allows(somebody("reader"), read("other/a"))
    assert (2, 1) == (len(asked), house.reads)


def test_no_decision_survives_its_epoch(house: House) -> None:
    """A granted and a refused decision both turn at the next question after the change."""
    who = somebody("reader")
    house.write(READER)
    assert house.allows(who, read("secret/a"))
    house.write()
    assert not house.allows(who, read("secret/a"))
    house.write(READER)
    assert house.allows(who, read("secret/a"))
    both = somebody("reader", "no")
    assert Extent.ALL is house.engine.visible(both, Action.LIST, Path.parse("secret"), FACTS).extent
    house.write(READER, policy("no", ("deny", "*", "secret/**")))
    assert not house.allows(both, read("secret/a"))
    assert Extent.NONE is house.engine.visible(both, Action.LIST, Path.parse("secret"), FACTS).extent


def test_another_namespace_s_change_keeps_the_memo(house: House) -> None:
    """One tenant's edits cost another nothing."""
    house.write(READER)
    house.allows(somebody("reader"), read("secret/a"))
    house.write(READER, namespace="tenant")
    house.allows(somebody("reader"), read("secret/a"))
    assert 1 == house.reads


def test_a_change_during_the_load_is_seen_at_the_next_question(house: House) -> None:
    """The epoch is read before the policies, so that what was written in between is not missed for ever."""

    def overtaken(namespace: str) -> Written:
        found = House.policies_of(house, namespace)
        if house.reads == 1:
            house.write()
        return found

    house.engine = Engine(overtaken, house.epochs)
    house.write(READER)
    assert house.allows(somebody("reader"), read("secret/a"))
    assert not house.allows(somebody("reader"), read("secret/a"))


def test_the_memo_is_bounded(house: House) -> None:
    """In decisions, and by leaving out long paths."""
    house.write(READER)
    for i in range(300):
        house.allows(somebody("reader"), read(f"secret/{i}"))
    assert 100 == len(house.engine._remembered)
    assert house.allows(somebody("reader"), read("secret/299"))
    newest = [key[-1][-1] for key in house.engine._remembered._known]
    assert [*map(str, range(200, 300))] == newest
    house.allows(somebody("reader"), read("secret/" + "/".join(["x" * 100] * 3)))
    assert newest == [key[-1][-1] for key in house.engine._remembered._known]


def test_keys_of_the_memo_do_not_run_together(house: House) -> None:
    """Policy names, action, path and folder are apart: joining their texts differently is another question."""
    house.write(policy("a", ("allow", "read", "b/c")), policy("a-b", ("allow", "read", "c")))
    assert house.allows(somebody("a"), read("b/c"))
    assert not house.allows(somebody("a", "b"), read("c"))
    assert not house.allows(somebody("a"), read("c"))
    assert not house.allows(somebody("a"), listing("b/c"))


BAD = policy("bad", ("allow", "read", "a/**/b"))


def test_a_bad_set_is_refused_and_the_old_one_kept(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Not even the good policies of the new set are used."""
    house.write(READER)
    assert house.allows(somebody("reader"), read("secret/a"))
    house.write(BAD, policy("new", ("allow", "read", "new/**")))
    assert house.allows(somebody("reader"), read("secret/a"))
    assert not house.allows(somebody("new"), read("new/a"))
    assert ["the ones before are kept" in record.message for record in caplog.records] == [True]
    house.write(policy("new", ("allow", "read", "new/**")))
    assert house.allows(somebody("new"), read("new/a"))


CONDITION = Policy("p", (Rule(Effect.DENY, ("read",), ("a",), "later"),))
UNNAMED = policy("Reader", ("allow", "*", "**"))
DAMAGED = Policy("odd", (None,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "policies",
    [(BAD,), (READER, READER), (policy("default", ("allow", "*", "**")),), (CONDITION,), (UNNAMED,), (DAMAGED,)],
    ids=["pattern", "twice", "built-in", "condition", "name", "damaged"],
)
def test_a_bad_first_set_denies_everything(
    house: House, policies: tuple[Policy, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """There is nothing to keep, so nobody passes, the administrator included; it is said in the log once."""
    house.write(*policies)
    assert not house.allows(somebody("administrator"), read("secret/a"))
    assert not house.allows(somebody("reader"), LookupSelf())
    assert ["everything is denied" in record.message for record in caplog.records] == [True]


def test_policies_that_cannot_be_verified_deny_their_namespace(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Also where a good set was in use before; other namespaces go on, and so does this one once it is whole."""
    house.write(READER)
    house.write(READER, namespace="tenant")
    assert house.allows(somebody("reader"), read("secret/a"))
    assert house.allows(somebody("reader", namespace="tenant"), read("secret/a"))
    house.write(READER)
    house.failure = ValueError("s3cret of a forged row")
    for who in (somebody("reader"), somebody("administrator")):
        assert not house.allows(who, read("secret/a"))
        assert Extent.NONE is house.engine.visible(who, Action.LIST, Path.parse("secret"), FACTS).extent
        assert {"secret/a": frozenset()} == house.engine.capabilities(who, [Path.parse("secret/a")], FACTS)
        assert not house.engine.reaches(who, Path.parse("secret"), FACTS)
    assert house.allows(somebody("reader", namespace="tenant"), read("secret/a"))
    assert 1 == len(caplog.records)
    assert "s3cret" not in caplog.text
    house.failure = None
    assert house.allows(somebody("reader"), read("secret/a"))


@pytest.mark.parametrize("failure", [Unavailable("the disk"), Sealed("no key")])
def test_a_state_that_cannot_answer_says_so_itself(house: House, failure: Exception) -> None:
    """An outage is told as one; nothing is granted meanwhile."""
    house.failure = failure
    with pytest.raises(type(failure)):
        house.engine.require(somebody("administrator"), read("secret/a"), FACTS)


def test_a_decision_that_fails_denies_and_is_not_remembered(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error inside Casbin is a no."""
    house.write(READER)

    def broken(*_: object) -> bool:
        raise RuntimeError("secret/a")

    with monkeypatch.context() as patched:
        patched.setattr(Decider, "allows", broken)
        assert not house.allows(somebody("reader"), read("secret/a"))
    assert "secret/a" not in caplog.text
    assert house.allows(somebody("reader"), read("secret/a"))


def test_casbin_logs_no_request(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Even where its loggers are switched on: a denied path is not for the log."""
    for name in ("casbin", "casbin.enforcer"):
        logging.getLogger(name).disabled = False
    caplog.set_level(logging.DEBUG)
    house.write(policy("p", ("allow", "read", "secret/a/b")))
    house.allows(somebody("p"), read("secret/a/b"))
    house.allows(somebody("p"), read("secret/a/b/c"))
    assert "" == caplog.text


def test_at_most_128_paths_are_asked_about_at_once(house: House) -> None:
    """A question cannot hold the worker for long."""
    with pytest.raises(TooLarge):
        house.engine.capabilities(somebody(), [ROOT] * 129, FACTS)


def test_reaches_says_whether_anything_below_may_be_done(house: House) -> None:
    """For listing mounts: any action counts, and a denied mount does not show."""
    house.write(policy("p", ("allow", "write", "team/kv/app/*"), ("deny", "*", "other/**"), ("allow", "*", "other/x")))
    who = somebody("p")
    prefixes = ["team/kv", "team/other", "team", "other", "third"]
    assert [True, False, True, False, False] == [house.engine.reaches(who, Path.parse(p), FACTS) for p in prefixes]


def test_a_case_variant_is_another_path_for_allow_and_deny_alike(house: House) -> None:
    """Case is never folded: an allow gives nothing for its variants, and a deny names one path, not its variants."""
    house.write(policy("p", ("allow", "read", "secret/prod/**")), policy("q", ("deny", "read", "secret/prod/**")))
    assert [True, False] == [house.allows(somebody("p"), read(path)) for path in ("secret/prod/a", "secret/PROD/a")]
    both = somebody("administrator", "q")
    assert [False, True] == [house.allows(both, read(path)) for path in ("secret/prod/a", "secret/PROD/a")]


@pytest.mark.parametrize("deny", ["a/private/**", "a/private", "a/**", "a/*", "*/private", "a/priv*"])
def test_a_deny_of_a_folder_stops_its_listing(house: House, deny: str) -> None:
    """A rule for a folder covers the folder's own listing, so that LIST a/private/ does not go round it."""
    house.write(policy("p", ("allow", "*", "**"), ("deny", "list", deny)))
    assert not house.allows(somebody("p"), listing("a/private"))
    assert not house.engine.visible(somebody("p"), Action.LIST, Path.parse("a"), FACTS).matches("private", folder=True)


@pytest.mark.parametrize("name", ["*", "**", "a/b", "+", "administrator", "../administrator", "reader"])
def test_nothing_in_a_principal_s_name_or_id_is_a_pattern(house: House, name: str) -> None:
    """Identity values never become part of a rule."""
    house.write(READER)
    assert not house.allows(Principal(name, "root", name, "key", (), name, attributes={"x": name}), read("secret/a"))


def test_casbin_s_unsafe_operators_are_not_used(house: House) -> None:
    """What key_match and regex_match let through is refused here."""
    house.write(policy("p", ("allow", "read", "secret/*/public"), ("allow", "read", "secret/a.b")))
    asked = ["secret/prod/db", "secret/prod/db/public", "secret/public", "secret/axb", "xsecret/a.b", "secret/a.bx"]
    assert [False] * 6 == [house.allows(somebody("p"), read(path)) for path in asked]
    assert [True] * 2 == [house.allows(somebody("p"), read(path)) for path in ("secret/prod/public", "secret/a.b")]


def test_listing_rights_show_names_and_reading_rights_do_not(house: House) -> None:
    """A folder that may be listed shows its names; for another action, each name needs a right of its own."""
    house.write(policy("p", ("allow", "list read", "a"), ("allow", "read", "a/b a/c/d")))
    names = [("b", False), ("x", False), ("c", True), ("x", True)]
    shown = {
        action: [house.engine.visible(somebody("p"), action, Path.parse("a"), FACTS).matches(*name) for name in names]
        for action in (Action.LIST, Action.READ)
    }
    assert {Action.LIST: [True] * 4, Action.READ: [True, False, True, False]} == shown


@pytest.mark.parametrize(
    ("namespace", "carried", "action", "name"),
    [("tenant", "p", "read", "a"), ("root", "q", "read", "a"), ("root", "p", "write", "a"), ("root", "p", "read", "b")],
)
def test_casbin_checks_everything_again(namespace: str, carried: str, action: str, name: str) -> None:
    """A row that the index picked wrongly gives nothing: namespace, role, action and path are Casbin's too."""
    row = Row("p", "root", "read", Pattern.parse("a"), "allow", None, 1)
    assert Decider().allows("root", ["p"], "read", Target(("a",), folder=False), [row])
    assert not Decider().allows(namespace, [carried], action, Target((name,), folder=False), [row])


@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_a_condition_that_slipped_in_denies(effect: str) -> None:
    """Also that of a deny: an error must not make it fall away."""
    row = Row("p", "root", "read", Pattern.parse("a"), effect, compile_condition("has(label.x)"), 1)
    with pytest.raises(ValueError, match="without a question"):
        Decider().allows("root", ["p"], "read", Target(("a",), folder=False), [row])
