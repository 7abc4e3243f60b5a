"""The engine with conditions: what decides, what is remembered and for how long, what lists show, what is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from wardgate.context import Decision
from wardgate.pipeline.authorize import Engine, Extent
from wardgate.pipeline.authorize.decider import Decider
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.errors import PermissionDenied, Unavailable
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Policy, Rule, Supposed
from wardgate.spi.operations.secrets import ListSecrets, ReadSecret, WriteSecret
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value

SECOND = 10**9
MORNING = 1_763_971_200 * SECOND  # 2025-11-24T08:00:00Z, a Monday
OFFICE = 'time in hours("08:00-18:00", "UTC")'


@dataclass(frozen=True, eq=False)
class Kept:
    """Labels by path, as the state gives them: other labels are another object."""

    labelled: Mapping[tuple[str, ...], Mapping[str, str]] = field(default_factory=dict)

    def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for length in range(1, len(segments) + 1):
            found.update(self.labelled.get(segments[:length], {}))
        return found


@dataclass
class House:
    """One namespace's policies and labels, and an engine."""

    policies: tuple[Policy, ...]
    kept: Kept = field(default_factory=Kept)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        written = SimpleNamespace(policies=self.policies)
        self.engine = Engine(lambda _: written, LocalEpochs(), self.labels_of)

    def labels_of(self, _: str) -> Kept:
        if self.failure:
            raise self.failure
        return self.kept

    def allows(self, operation: Operation[object], *carried: str, **facts: Any) -> bool:
        return self.decision(operation, *carried, **facts) is not None

    def decision(self, operation: Operation[object], *carried: str, **facts: Any) -> Decision | None:
        who, arrival = asked_by(*carried, **facts)
        try:
            return self.engine.require(who, operation, arrival)
        except PermissionDenied:
            return None


def asked_by(
    *carried: str, source: str = "10.1.2.3", time: int = MORNING, name: str = "n", role: str = "", method: str = "key"
) -> tuple[Principal, Arrival]:
    attributes = {"role": role} if role else {}
    who = Principal("p", "root", name, method, carried or ("p",), "accessor", attributes=attributes)
    return who, Arrival("id", time, 0.0, source)


def allow(actions: str, paths: str, when: str = "") -> Rule:
    return Rule(Effect.ALLOW, tuple(actions.split()), tuple(paths.split()), when)


def deny(actions: str, paths: str, when: str = "") -> Rule:
    return Rule(Effect.DENY, tuple(actions.split()), tuple(paths.split()), when)


def house(*rules: Rule, labels: Mapping[str, Mapping[str, str]] | None = None) -> House:
    labelled = {tuple(path.split("/")): dict(own) for path, own in (labels or {}).items()}
    return House((Policy("p", rules),), Kept(labelled))


def read(path: str) -> ReadSecret:
    return ReadSecret(path=Path.parse(path))


def listing(path: str) -> ListSecrets:
    return ListSecrets(path=Path.parse(path) if path else ROOT)


def test_a_condition_decides_by_the_request_s_own_facts() -> None:
    """Each answer to its own question, whichever was asked before."""
    made = house(allow("read", "secret/**", 'source in "10.0.0.0/8" and principal.role == "ci"'))
    asked: list[dict[str, Any]] = [
        {"role": "ci"}, {"role": "cd"}, {}, {"role": "ci", "source": "192.0.2.1"}, {"role": "ci", "source": ""},
    ]  # fmt: skip
    for _ in range(3):
        assert [True, False, False, False, False] == [made.allows(read("secret/a"), **facts) for facts in asked]


def test_a_deny_that_cannot_be_known_applies() -> None:
    """An allow that cannot be known does not."""
    made = house(
        allow("read", "secret/**"),
        deny("read", "secret/**", 'label.class == "restricted"'),
        allow("write", "secret/**", 'label.class != "restricted"'),
        labels={"secret/open": {"class": "open"}, "secret/closed": {"class": "restricted"}},
    )
    paths = ["secret/open", "secret/open/below", "secret/closed", "secret/closed/below", "secret/unknown"]
    assert [True, True, False, False, False] == [made.allows(read(path)) for path in paths]
    writes = [WriteSecret(path=Path.parse(path), value=Value(b"v")) for path in paths]
    assert [True, True, False, False, False] == [made.allows(write) for write in writes]


def test_casbin_is_asked_once_for_equal_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the attributes that were read and no others, a yes and a no alike."""
    made = house(allow("read", "secret/**", 'source in "10.0.0.0/8"'))
    asked: list[object] = []
    original = Decider.allows

    def counted(*given: Any) -> bool:
        asked.append(given)
        return original(*given)

    monkeypatch.setattr(Decider, "allows", counted)
    for facts in ({}, {"name": "other", "role": "x"}, {"time": 0}, {"source": "192.0.2.1"}, {"source": "192.0.2.1"}):
        made.allows(read("secret/a"), **facts)
    assert 2 == len(asked)


def test_a_decision_ends_with_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a yes nor a no outlives the window's edge by a nanosecond; in between it is remembered."""
    made = house(allow("read", "secret/**", OFFICE))
    evening = MORNING + 10 * 3_600 * SECOND
    times = [MORNING - 1, MORNING, evening - 1, evening, MORNING, evening - 1, MORNING - 1]
    assert [False, True, True, False, True, True, False] == [made.allows(read("secret/a"), time=time) for time in times]
    decision = made.decision(read("secret/a"), time=MORNING + SECOND)
    assert decision is not None
    assert (("time",), evening) == (decision.read, decision.until)
    with monkeypatch.context() as patched:
        patched.setattr(Decider, "allows", None)
        assert made.allows(read("secret/a"), time=MORNING + 2 * SECOND)


def test_a_decision_names_what_it_read() -> None:
    """Of every condition among the candidates; none without conditions."""
    made = house(allow("read", "a/**", 'has(label.x) or source in "10.0.0.0/8"'), allow("read", "b/**"))
    assert Decision("p", 1, ("label.x", "source")) == made.decision(read("a/b"))
    assert Decision("p", 2) == made.decision(read("b/c"))


def test_a_label_s_change_holds_at_once() -> None:
    """What was remembered under other labels is not asked."""
    made = house(allow("read", "secret/**", 'label.env == "test"'))
    answers = []
    for labels in ({}, {"env": "test"}, {"env": "production"}, {"env": "test"}, {}):
        made.kept = Kept({("secret", "team"): labels})
        answers.append(made.allows(read("secret/team/a")))
    assert [False, True, False, True, False] == answers


def test_labels_that_cannot_be_read_are_an_outage_where_they_matter() -> None:
    """Nothing is granted, remembered or not; rules that read no label go on."""
    made = house(allow("read", "secret/**", "has(label.env)"), allow("read", "other/**"))
    made.kept = Kept({("secret",): {"env": "x"}})
    assert made.allows(read("secret/a"))
    made.failure = Unavailable("changed outside the gateway")
    with pytest.raises(Unavailable):
        made.allows(read("secret/a"))
    assert made.allows(read("other/a"))


def test_each_item_of_a_batch_is_decided_by_its_own_path() -> None:
    """And by the request's facts."""
    made = house(allow("read", "secret/**", "path.segment.2 == principal.name"))
    who, facts = asked_by(name="ann")
    items = [read("secret/ann/a"), read("secret/bob/a"), read("secret/ann")]
    decisions = [made.engine.decision(who, item, facts) for item in items]
    assert [True, False, True] == [decision is not None for decision in decisions]


def test_the_memo_is_bounded_in_values_too() -> None:
    """What a caller or an administrator makes long is decided afresh each time."""
    made = house(allow("read", "secret/**", "principal.name != 'x'"))
    assert made.allows(read("secret/a"), name="y" * 2_000)
    assert 0 == len(made.engine._held._memo)
    assert made.allows(read("secret/a"), name="y")
    assert 1 == len(made.engine._held._memo)


def test_capabilities_are_those_of_the_request() -> None:
    """By its facts, and the labels of each path."""
    made = house(
        allow("read", "secret/**", 'source in "10.0.0.0/8"'),
        allow("write", "secret/**", 'label.env == "test"'),
        labels={"secret/t": {"env": "test"}},
    )
    paths = [Path.parse("secret/t"), Path.parse("secret/u")]
    inside = made.engine.capabilities(*asked_by()[:1], paths, asked_by()[1])
    who, outside = asked_by(source="192.0.2.1")
    assert {"secret/t": {Action.READ, Action.WRITE}, "secret/u": {Action.READ}} == inside
    assert {"secret/t": {Action.WRITE}, "secret/u": set()} == made.engine.capabilities(who, paths, outside)


def shown(made: House, folder: str, *names: str, action: Action = Action.LIST, **facts: Any) -> list[str]:
    """Which of these names a folder shows; a slash at the end makes one a folder."""
    who, arrival = asked_by(**facts)
    visible = made.engine.visible(who, action, Path.parse(folder) if folder else ROOT, arrival)
    found = [name for name in names if visible.matches(name.removesuffix("/"), name.endswith("/"))]
    assert visible.extent is not Extent.ALL or found == list(names)
    assert visible.extent is not Extent.NONE or found == []
    return found


def test_a_list_hides_what_may_be_denied() -> None:
    """A name whose label is restricted, or is not known, is not shown; one that is certainly open is."""
    made = house(
        allow("list", "secret/**"),
        deny("*", "secret/**", 'label.class == "restricted"'),
        labels={
            "secret": {"class": "open"},
            "secret/team/a": {"class": "restricted"},
            "secret/team/sub": {"class": "restricted"},
        },
    )
    assert ["b", "other/"] == shown(made, "secret/team", "a", "b", "sub", "sub/", "other/")
    made.kept = Kept({**made.kept.labelled, ("secret",): {}})
    assert [] == shown(made, "secret/team", "a", "b", "sub", "sub/", "other/")


def test_a_list_turns_on_the_request_s_facts() -> None:
    """The same folder, asked from elsewhere, at another time."""
    made = house(allow("list", "secret/**", 'source in "10.0.0.0/8"'), deny("list", "secret/team/night/**", OFFICE))
    night = MORNING + 12 * 3_600 * SECOND
    for _ in range(2):
        assert ["a"] == shown(made, "secret/team", "a", "night/")
        assert ["a", "night/"] == shown(made, "secret/team", "a", "night/", time=night)
        assert [] == shown(made, "secret/team", "a", "night/", source="192.0.2.1")


def test_a_name_shows_only_where_an_allow_certainly_applies() -> None:
    """Without list on the folder: by the name's own path."""
    made = house(
        allow("read", "secret/*/db", "path.segment.2 == principal.name"), allow("read", "secret/x", "has(label.a)")
    )
    assert ["ann/"] == shown(made, "secret", "ann/", "bob/", "ann", "x", action=Action.READ, name="ann")
    made.kept = Kept({("secret", "x"): {"a": "1"}})
    assert ["x"] == shown(made, "secret", "ann/", "bob/", "x", action=Action.READ)


def test_a_mount_is_listed_where_something_below_could_be_allowed() -> None:
    """Clients ask for mounts before they ask for a secret; what is certainly out of reach stays hidden."""
    made = house(
        allow("read", "one/**", 'label.env == "test"'),
        allow("read", "two/**", 'source in "192.0.2.0/24"'),
        allow("read", "three/**"), deny("*", "three/**", 'label.env == "x"'),
        allow("read", "four/**"), deny("*", "four/**", 'source in "10.0.0.0/8"'),
    )  # fmt: skip
    who, facts = asked_by()
    mounts = [Path.parse(name) for name in ("one", "two", "three", "four", "five")]
    assert [True, False, True, False, False] == [made.engine.reaches(who, mount, facts) for mount in mounts]


def test_explain_says_what_each_condition_turned_on() -> None:
    """Rule, truth and values, for rules that apply and rules that do not."""
    made = house(
        allow("read", "secret/**", 'source in "10.0.0.0/8" or label.env == "test"'),
        deny("read", "secret/**", 'principal.role == "guest"'),
    )
    supposed = Supposed(source="10.0.0.1", time=MORNING, attributes={"role": "ci"}, labels={})
    why = made.engine.explain("root", ["p"], Action.READ, Path.parse("secret/a"), supposed=supposed)
    assert (True, "p", 1, 2) == (why.allowed, why.policy, why.number, why.candidates)
    told = [(one.number, one.truth, one.applies, dict(one.values)) for one in why.considered]
    assert [
        (1, True, True, {"source": "10.0.0.1", "label.env": None}),
        (2, False, False, {"principal.role": "ci"}),
    ] == told
    guest = replace(supposed, attributes={})
    why = made.engine.explain("root", ["p"], Action.READ, Path.parse("secret/a"), supposed=guest)
    assert (False, "p", 2) == (why.allowed, why.policy, why.number)
    assert (None, True) == (why.considered[1].truth, why.considered[1].applies)


def test_explain_reads_the_kept_labels_unless_others_are_supposed() -> None:
    """A question about what would be, if."""
    made = house(allow("read", "secret/**", 'label.env == "test"'), labels={"secret": {"env": "test"}})
    for labels, allowed in ((None, True), ({}, False), ({"env": "prod"}, False)):
        supposed = Supposed(labels=labels)
        why = made.engine.explain("root", ["p"], Action.READ, Path.parse("secret/a"), supposed=supposed)
        assert allowed == why.allowed


def test_a_condition_on_a_path_covers_a_folder_as_patterns_do() -> None:
    """A deny of everything below a folder denies the folder's own listing."""
    made = house(allow("list", "**"), deny("list", "**", 'path like "secret/private/**"'))
    assert [False, True] == [made.allows(listing(path)) for path in ("secret/private", "secret/public")]
    assert ["public/"] == shown(made, "secret", "private/", "public/")
