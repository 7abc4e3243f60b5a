"""Conditions as they turn out: three-valued, against a reference evaluator; and windows of time, second by second."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wardgate.pipeline.authorize.conditions import ANYBODY, NO_LABELS, UNKNOWN, Condition, Question, compile_condition
from wardgate.pipeline.authorize.conditions.windows import window
from wardgate.spi.errors import Unavailable
from wardgate.spi.operations.policies import Supposed

SECOND = 10**9
Tree = tuple[Any, ...]
VALUES = ("a", "b", "a/b", "")
TEXTS = ("principal.name", "principal.role", "label.x", "label.y", "path.segment.1", "path.segment.3")


@dataclass(frozen=True)
class Asker:
    """Somebody, of whom not everything need be known."""

    name: str | None
    attributes: Mapping[str, str]
    id: str | None = None
    method: str | None = None
    policies: tuple[str, ...] = ("a",)


@dataclass(frozen=True)
class Kept:
    """Labels, the same everywhere."""

    labels: Mapping[str, str]

    def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
        return self.labels


@dataclass(frozen=True)
class World:
    """All a condition could read; None is missing."""

    name: str | None
    role: str | None
    x: str | None
    y: str | None
    path: tuple[str, ...]
    source: str

    def value(self, attribute: str) -> Any:
        """What the reference reads."""
        segments = dict(enumerate(self.path, start=1))
        return {
            "principal.name": self.name, "principal.role": self.role, "label.x": self.x, "label.y": self.y,
            "path.segment.1": segments.get(1), "path.segment.3": segments.get(3), "path.depth": len(self.path),
        }[attribute]  # fmt: skip

    def question(self) -> Question:
        attributes = {} if self.role is None else {"role": self.role}
        labels = {name: value for name, value in (("x", self.x), ("y", self.y)) if value is not None}
        return Question(Asker(self.name, attributes), "read", self.path, self.source, 0, Kept(labels))


maybe = st.one_of(st.none(), st.sampled_from(VALUES))
worlds = st.builds(
    World, maybe, maybe, maybe, maybe, st.lists(st.sampled_from(("a", "b")), min_size=1, max_size=4).map(tuple),
    st.sampled_from(("10.1.2.3", "::ffff:10.9.9.9", "192.0.2.1", "fd00::1", "", "socket")),
)  # fmt: skip

names = st.sampled_from(TEXTS)
texts = st.sampled_from(VALUES)
leaves = st.one_of(
    st.tuples(st.just("=="), names, texts),
    st.tuples(st.just("!="), names, texts),
    st.tuples(st.just("two"), names, names),
    st.tuples(st.just("in"), names, st.lists(texts, min_size=1, max_size=3)),
    st.tuples(st.just("startswith"), names, texts),
    st.tuples(st.just("has"), names),
    st.tuples(st.just("depth"), st.sampled_from(("<", "<=", ">", ">=", "==")), st.integers(0, 5)),
    st.tuples(st.just("source"), st.sampled_from(("10.0.0.0/8", "fd00::/8", "0.0.0.0/0"))),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("and"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("or"), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


def written(tree: Tree) -> str:  # noqa: PLR0911  # one a kind of tree
    """The tree as a policy's author writes it."""
    match tree:
        case ("not", inner):
            return f"not ({written(inner)})"
        case (("and" | "or") as word, inners):
            return "(" + f" {word} ".join(written(inner) for inner in inners) + ")"
        case ("two", one, other):
            return f"{one} == {other}"
        case ("in", name, listed):
            return f"{name} in [{', '.join(repr(text) for text in listed)}]"
        case ("has", name):
            return f"has({name})"
        case ("depth", order, number):
            return f"path.depth {order} {number}"
        case ("source", network):
            return f"source in '{network}'"
        case (operator, name, text):
            return f"{name} {operator} '{text}'"
    raise AssertionError(tree)


def reference(tree: Tree, world: World) -> bool | None:  # noqa: C901, PLR0911  # one a kind of tree
    """By the definition: a test of what is missing is unknown; not, and, or after Kleene."""
    match tree:
        case ("not", inner):
            truth = reference(inner, world)
            return None if truth is None else not truth
        case ("and", inners):
            truths = [reference(inner, world) for inner in inners]
            return False if False in truths else None if None in truths else True
        case ("or", inners):
            truths = [reference(inner, world) for inner in inners]
            return True if True in truths else None if None in truths else False
        case ("has", name):
            return world.value(name) is not None
        case ("depth", order, number):
            return bool(eval(f"{len(world.path)} {order} {number}"))  # two numbers and an operator of ours
        case ("source", network):
            try:
                address = ipaddress.ip_address(world.source.removeprefix("::ffff:"))
            except ValueError:
                return None
            return address in ipaddress.ip_network(network)
        case ("two", one, other):
            pair = {world.value(one), world.value(other)}
            return None if None in pair else len(pair) == 1
        case (operator, name, right):
            value = world.value(name)
            if value is None:
                return None
            tests: dict[str, bool] = {
                "==": value == right, "!=": value != right, "in": value in right,
                "startswith": operator == "startswith" and value.startswith(right),
            }  # fmt: skip
            return tests[operator]
    raise AssertionError(tree)


@settings(max_examples=500, deadline=None)
@given(trees, worlds)
@example(("or", [("==", "label.x", "a"), ("has", "label.x")]), World(None, None, None, None, ("a",), ""))
def test_every_condition_is_the_reference_s(tree: Tree, world: World) -> None:
    """Whatever is written and whatever is missing; and an allow needs true, a deny anything but false."""
    condition = compile_condition(written(tree))
    expected = reference(tree, world)
    assert expected == condition.truth(world.question())
    assert (expected is True) == condition.applies(world.question(), "allow")
    assert (expected is not False) == condition.applies(world.question(), "deny")


@settings(max_examples=300, deadline=None)
@given(trees, worlds)
def test_what_is_true_of_nobody_anywhere_is_true_of_each(tree: Tree, world: World) -> None:
    """What a condition says while nothing is known yet, it says of every question: lists and lint rest on it."""
    condition = compile_condition(written(tree))
    anywhere = condition.truth(world.question().at(UNKNOWN))
    nothing = condition.truth(Question(ANYBODY, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, NO_LABELS))
    assert anywhere in {None, condition.truth(world.question())}
    assert nothing in {None, anywhere}


@settings(max_examples=200, deadline=None)
@given(trees, worlds, worlds)
def test_equal_values_of_what_is_read_give_equal_truth(tree: Tree, world: World, other: World) -> None:
    """So an answer may be remembered by them."""
    condition = compile_condition(written(tree))
    asked = [[attribute.read(one.question()) for attribute in condition.reads] for one in (world, other)]
    if asked[0] == asked[1]:
        assert condition.truth(world.question()) == condition.truth(other.question())


def ask(text: str, **facts: Any) -> bool | None:
    supposed = Supposed(**facts)
    asker = Asker(supposed.name, supposed.attributes, supposed.id, supposed.method)
    labels = Kept(supposed.labels or {})
    question = Question(asker, "read", ("secret", "team", "db"), supposed.source, supposed.time, labels)
    return compile_condition(text).truth(question)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("principal.name like 'ci-*'", True),
        ("principal.name like '*'", False),  # a star stays within a segment
        ("principal.name like ['x', 'ci-*/**']", True),
        ("principal.name like '**'", True),
        ("principal.name like 'ci-a/b/**'", False),  # the rest is one segment or more
        ("principal.name not like 'ci-*/b'", False),
        ("principal.name startswith ['x', 'ci-']", True),
        ("principal.name startswith '*'", False),
        ("path like 'secret/*/db'", True),
        ("path like ['secret/**']", True),
        ("path like 'secret/team/db/**'", False),
        ("path == 'secret/team/db'", True),
        ("path != 'secret/team'", True),
        ("'secret/team' == path", False),
        ("3 <= path.depth", True),
        ("path.segment.2 == 'team'", True),
        ("path.segment.4 == 'x'", None),
        ("'a' in principal.policies", True),
        ("'b' not in principal.policies", True),
        ("label['x'] == 'o\\'clock'", True),
        ('label.x == "o\'clock"', True),
        ("label.x == 'O\\'clock'", False),  # case matters
        ("source == '10.1.2.3'", True),
        ("source not in ['10.1.2.0/24', 'fd00::/8']", False),
        ("action == 'read' and action in ['read', 'list']", True),
        ("principal.method == 'key' or principal.id == 'i'", None),
        ("not principal.method == 'key' and principal.name == 'nobody'", False),
    ],
)
def test_tests(text: str, truth: bool | None) -> None:  # noqa: FBT001  # a column of the table
    """Each kind of test, and its contrary."""
    if text.startswith("principal.name like 'ci-*'"):
        assert truth is ask(text, name="ci-a")
        return
    assert truth is ask(text, name="ci-a/b", source="10.1.2.3", labels={"x": "o'clock"})


def test_an_error_makes_the_condition_unknown(caplog: pytest.LogCaptureFixture) -> None:
    """An allow does not apply, a deny does, and the log has no value in it."""

    class Broken:
        def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
            raise RuntimeError("s3cret")

    condition = compile_condition("label.x == 'a' or principal.name == 'n'")
    question = Question(Asker("n", {}), "read", ("a",), None, None, Broken())
    assert condition.truth(question) is None
    assert [False, True] == [condition.applies(question, effect) for effect in ("allow", "deny")]
    assert "s3cret" not in caplog.text


def test_a_state_that_cannot_answer_says_so_itself() -> None:
    """An outage is told as one."""

    class Away:
        def of(self, segments: tuple[str, ...]) -> Mapping[str, str]:
            raise Unavailable("the disk")

    with pytest.raises(Unavailable):
        compile_condition("has(label.x)").truth(Question(Asker("n", {}), "read", ("a",), None, None, Away()))


ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu")
WINDOWS = (
    ("hours", "08:00-18:00"), ("hours", "22:30-02:15"), ("hours", "02:30-03:00"), ("hours", "00:00-24:00"),
    ("hours", "01:45-24:00"), ("weekdays", "mon-fri"), ("weekdays", "fri-mon"), ("weekdays", "sun"),
    ("dates", "2026-03-29"), ("dates", "2026-03-29/2026-10-25"), ("dates", "/2026-10-25"), ("dates", "2026-11-01/"),
)  # fmt: skip
YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
CHANGES = tuple(  # around the changes of the clock of several of these zones in 2026
    int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp())
    for month, day, hour in ((3, 29, 0), (10, 25, 0), (4, 4, 14), (10, 3, 14), (3, 8, 5), (11, 1, 4), (2, 15, 1))
)
moments = st.one_of(
    st.integers(YEAR, YEAR + 365 * 86_400),
    st.tuples(st.sampled_from(CHANGES), st.integers(-3 * 3_600, 3 * 3_600)).map(sum),
)


def by_hand(kind: str, text: str, local: datetime) -> bool:
    """Whether a local time is in a window."""
    if kind == "hours":
        start, end = text.split("-")
        now = local.strftime("%H:%M")
        return start <= now < end if start < end else now >= start or now < end
    if kind == "weekdays":
        days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        first, _, last = text.partition("-")
        span = [*days, *days][days.index(first) :]
        return days[local.weekday()] in span[: span.index(last or first) + 1]
    first, _, last = text.partition("/") if "/" in text else (text, "", text)
    return (first or "0000") <= local.strftime("%Y-%m-%d") <= (last or "9999")


@settings(max_examples=600, deadline=None)
@given(moments, st.sampled_from(WINDOWS), st.sampled_from(ZONES))
@example(CHANGES[0] + 3_599, ("hours", "02:30-03:00"), "Europe/Berlin")
@example(CHANGES[1] + 3_600, ("hours", "02:30-03:00"), "Europe/Berlin")
def test_a_window_holds_what_the_local_clock_says_until_it_says(
    moment: int, kind_and_text: tuple[str, str], zone: str
) -> None:
    """Also where the clock is changed; and up to the end it states, the answer is the same at every minute."""
    kind, text = kind_and_text
    found = window(kind, (text, zone))
    inside = by_hand(kind, text, datetime.fromtimestamp(moment, ZoneInfo(zone)))
    assert inside == found.holds(moment * SECOND)
    until = found.until(moment * SECOND) // SECOND
    assert moment < until <= moment + 86_400
    for later in {*range(moment, until, 300), until - 1}:
        assert inside == found.holds(later * SECOND)


def test_an_edge_is_found_to_the_second() -> None:
    """A memo ends with the window, not before."""
    berlin = ZoneInfo("Europe/Berlin")
    noon = datetime(2026, 11, 23, 12, tzinfo=berlin)
    condition = compile_condition("time in hours('08:00-18:00', 'Europe/Berlin')")
    assert noon + timedelta(hours=6) == datetime.fromtimestamp(
        condition.until(int(noon.timestamp()) * SECOND) // SECOND, berlin
    )


@pytest.mark.parametrize(("order", "truths"), [("<", "100"), ("<=", "110"), (">", "001"), (">=", "011")])
def test_a_moment_divides_the_time(order: str, truths: str) -> None:
    """To the nanosecond, and the end of each answer is where it changes."""
    moment = YEAR * SECOND
    condition: Condition = compile_condition(f"time {order} '2026-01-01T01:00:00+01:00'")

    def at(time: int) -> bool | None:
        return condition.truth(Question(Asker("n", {}), "read", ("a",), None, time, NO_LABELS))

    times = [moment - 1, moment, moment + 1]
    assert truths == "".join(str(int(bool(at(time)))) for time in times)
    for time in times:
        assert all(at(time) == at(later) for later in times if time <= later < condition.until(time))
