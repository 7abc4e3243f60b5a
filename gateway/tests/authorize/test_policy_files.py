"""Policies' own tests: the examples pass theirs, and a test file says plainly what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from wardgate.pipeline.authorize import validate
from wardgate.pipeline.authorize.policy_tests import load_policy, run_tests
from wardgate.spi.errors import InvalidValue

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"
POLICY = 'name = "p"\n[[rules]]\neffect = "allow"\nactions = ["read"]\npaths = ["a/**"]\n'
QUESTION = '[[test]]\npolicies = ["p"]\naction = "read"\npath = "a/b"\nexpect = "allow"\n'


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.test.toml")), ids=lambda file: file.name)
def test_an_example_passes_its_own_tests(file: Path) -> None:
    """What the example says of itself is so, a yes and a no at least."""
    results = run_tests([file])
    assert [] == [result for result in results if not result.passed]
    assert {"allow", "deny"} == {result.test.expect for result in results}


def test_every_example_is_valid_and_has_tests() -> None:
    """An example without tests would be a claim."""
    examples = {file for file in EXAMPLES.glob("*.toml") if not file.name.endswith(".test.toml")}
    assert examples
    for file in examples:
        validate(load_policy(file))
        assert file.with_suffix(".test.toml").is_file()


def write(folder: Path, test: str, policy: str = POLICY) -> Path:
    (folder / "p.toml").write_text(policy)
    file = folder / "p.test.toml"
    file.write_text(test)
    return file


def test_a_wrong_expectation_fails_and_names_the_rule(tmp_path: Path) -> None:
    """A result holds the question, the answer and why."""
    file = write(tmp_path, 'load = ["p.toml"]\n' + QUESTION + QUESTION.replace('"allow"', '"deny"'))
    good, bad = run_tests([file])
    assert (True, False, 2, "p") == (good.passed, bad.passed, bad.test.number, bad.explanation.policy)


def test_list_asks_of_a_folder_unless_told_otherwise(tmp_path: Path) -> None:
    """``folder`` overrides it both ways."""
    question = '[[test]]\npolicies = ["administrator"]\naction = "{}"\npath = "a"\nexpect = "allow"\n{}'
    entries = [("list", ""), ("read", ""), ("list", "folder = false\n"), ("read", "folder = true\n")]
    file = write(tmp_path, "".join(question.format(*entry) for entry in entries))
    assert [True, False, False, True] == [result.test.folder for result in run_tests([file])]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("", r"there is no \[\[test\]\] in it"),
        ("tests = []", r"unknown key 'tests'; did you mean 'test'\?"),
        ("x = [", "is not TOML"),
        (POLICY, "is a policy; name the file with its tests"),
        ('load = ["q.toml"]\n' + QUESTION, "q.toml: cannot be read"),
        (QUESTION, r"test 1: no policy 'p' is loaded"),
        ('load = ["p.toml"]\n' + QUESTION + "expected = 1", r"test 1: unknown key 'expected'; did you mean 'expect'\?"),
        ('load = ["p.toml"]\n' + QUESTION.replace('"allow"', '"yes"'), "'expect' must be"),
        ('load = ["p.toml"]\n' + QUESTION.replace('"read"', '"reads"'), r"unknown action; did you mean 'read'\?"),
        ('load = ["p.toml"]\n' + QUESTION.replace("a/b", "a//b"), "test 1: the path has an empty segment"),
        ('load = ["p.toml"]\n' + QUESTION + "folder = 1", "'folder' must be true or false"),
        ("load = 1\n" + QUESTION, "'load' must be a list of texts"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = 1", "'facts': it must be a table"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {sauce = '1'}", r"unknown key 'sauce'; did you mean 'source'\?"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {source = 1}", "'source' must be text"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {source = 'bogus'}", "'source' must be an address"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {labels = {a = 1}}", "'labels' must be a table of texts"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {time = '2026-01-01'}", "'time' must be a moment with its offset"),
        ('load = ["p.toml"]\n' + QUESTION + "facts = {time = 2026-01-01T00:00:00}", "must be a moment with its offset"),
    ],
)
def test_a_wrong_test_file_is_refused_with_what_to_change(tmp_path: Path, test: str, message: str) -> None:
    """A test that asks nothing must not look as if it passed."""
    with pytest.raises(InvalidValue, match=message):
        run_tests([write(tmp_path, test)])


def test_a_policy_that_is_not_valid_stops_the_run(tmp_path: Path) -> None:
    """What the gateway would refuse, the test refuses too."""
    file = write(tmp_path, 'load = ["p.toml"]\n' + QUESTION, POLICY.replace("a/**", "a/**/b"))
    with pytest.raises(InvalidValue, match="can stand at the end only"):
        run_tests([file])
