"""``history``, ``delete``, ``undelete``, ``destroy``: exactly what was named, and no success for what is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import Result
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import PermissionDenied, Unsupported, WardgateError
from wardgate.spi.operations.mounts import ListVisibleMounts, MountInfo
from wardgate.spi.operations.secrets import DeleteSecret, DescribeSecret, DestroySecret, Ordinal, UndeleteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import SecretInfo, SecretSettings, VersionInfo, VersionState

from tests.support.scripted import Scripted

Run = Callable[..., Result]
PATH = Path(("secret", "app"))
KNOWN = SecretInfo(
    VersionInfo(id="3", ordinal=3, state=VersionState.DESTROYED),
    (
        VersionInfo(id="1", ordinal=1),
        VersionInfo(id="2", ordinal=2, state=VersionState.DELETED),
        VersionInfo(id="3", ordinal=3, state=VersionState.DESTROYED),
    ),
    0,
    0,
)
CURRENT_IS_LIVE = replace(KNOWN, current=KNOWN.versions[0])
VERSIONED = Capabilities(delete=True, delete_versions=True, undelete=True)
WHOLE = Capabilities(delete=True, undelete=True)
FINAL = Capabilities(delete=True)


def visible(capabilities: Capabilities | None) -> tuple[MountInfo, ...]:
    """The one mount, and what its store can do."""
    return (MountInfo("m", Path(("secret",)), "a-store", {}, {}, 0, capabilities=capabilities),)


def changing(gateway: Scripted) -> list[object]:
    """What was asked, but for what the store can do."""
    return [one for one in gateway.asked if one != ListVisibleMounts()]


def test_history_shows_versions_without_values(gateway: Scripted, run: Run) -> None:
    """A line a version, then labels, then the settings that are set."""
    version = VersionInfo(id="3", ordinal=3, stages=frozenset({"current"}))
    settings = SecretSettings(max_versions=5, compare_and_set_required=False)
    gateway.answers[DescribeSecret] = SecretInfo(version, (version,), 0, 0, {"team": "a"}, settings)
    assert run("history", "secret/app").stdout.splitlines() == [
        "3\tlive\t\t\tcurrent\t3",
        "label team=a",
        "setting max_versions=5",
    ]


def test_undelete_recovers_the_current_version(gateway: Scripted, run: Run) -> None:
    """If nothing is said; and it must be a deleted one."""
    deleted = VersionInfo(id="4", ordinal=4, state=VersionState.DELETED)
    gateway.answers.update({DescribeSecret: SecretInfo(deleted, (deleted,), 0, 0), UndeleteSecret: None})
    result = run("undelete", "secret/app")
    assert (0, "Recovered version 4 of secret/app.\n") == (result.exit_code, result.stderr)
    assert UndeleteSecret(path=PATH, versions=(Ordinal(4),)) == gateway.asked[-1]
    live = VersionInfo(id="4", ordinal=4)
    gateway.answers[DescribeSecret] = SecretInfo(live, (live,), 0, 0)
    result = run("undelete", "secret/app")
    assert (5, True) == (result.exit_code, "the current version of secret/app, 4, is live" in result.stderr)
    gateway.answers[DescribeSecret] = PermissionDenied("not yours")
    assert 2 == run("undelete", "secret/app").exit_code


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("arguments", "known", "named"),
    [
        (["--all"], KNOWN, "Versions: 1 (live), 2 (deleted), 3 (destroyed). [y/N]"),
        (["--version", "2"], KNOWN, "Destroy version 2 at secret/app, for ever? Versions: 2 (deleted). [y/N]"),
        (["--all"], PermissionDenied("not yours"), "What is there cannot be seen. [y/N]"),
        (["--all"], SecretInfo(None, (), 0, 0, {"a": "b"}), "Versions: none. Labels: 1. [y/N]"),
    ],
)
def test_destroy_names_what_dies_before_it_asks(
    gateway: Scripted, run: Run, arguments: list[str], known: object, named: str
) -> None:
    """As far as it can be seen; a no leaves all as it is."""
    gateway.answers[DescribeSecret] = known
    result = run("destroy", "secret/app", *arguments, input=b"n\n")
    assert (1, [DescribeSecret(path=PATH)]) == (result.exit_code, gateway.asked)
    assert named in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["delete", "secret/app", "--yes"], DeleteSecret(path=PATH)),
        (["delete", "secret/app", "--version", "2", "--yes"], DeleteSecret(path=PATH, versions=(Ordinal(2),))),
        (
            ["undelete", "secret/app", "--version", "1", "--version", "2"],
            UndeleteSecret(path=PATH, versions=(Ordinal(1), Ordinal(2))),
        ),
        (["destroy", "secret/app", "--version", "1", "--yes"], DestroySecret(path=PATH, versions=(Ordinal(1),))),
        (["destroy", "secret/app", "--all", "--yes"], DestroySecret(path=PATH)),
    ],
)
def test_versions_are_deleted_recovered_and_destroyed(
    gateway: Scripted, run: Run, arguments: list[str], expected: object
) -> None:
    """Exactly those that were named, after a look whether they are there."""
    gateway.answers.update({DescribeSecret: KNOWN, type(expected): None})
    assert run(*arguments).exit_code == 0
    assert changing(gateway) == [DescribeSecret(path=PATH), expected]


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("capabilities", "known", "named"),
    [
        (VERSIONED, CURRENT_IS_LIVE, "the current version of secret/app (`wardgate undelete` recovers it)"),
        (WHOLE, KNOWN, "the whole secret secret/app with its 2 versions (`wardgate undelete` recovers it)"),
        (FINAL, KNOWN, "the whole secret secret/app with its 2 versions, for ever"),
        (FINAL, Unsupported("nothing is known"), "the whole secret secret/app, for ever"),
        (None, KNOWN, "the current version of secret/app, or all of it for ever where its store knows no other delete"),
    ],
)
def test_delete_says_before_and_after_what_its_store_takes_away(
    gateway: Scripted, run: Run, capabilities: Capabilities | None, known: object, named: str
) -> None:
    """Not one version where the store deletes them all, and not as if it could be recovered where it cannot."""
    gateway.answers.update({DescribeSecret: known, ListVisibleMounts: visible(capabilities), DeleteSecret: None})
    result = run("delete", "secret/app", input=b"n\n")
    assert (1, f"Delete {named}? [y/N]: ") == (result.exit_code, result.stderr.partition("n\n")[0].split("Abort")[0])
    assert not any(isinstance(one, DeleteSecret) for one in gateway.asked)
    assert f"Deleted {named}.\n" == run("delete", "secret/app", "--yes").stderr


@pytest.mark.parametrize("arguments", [[], ["--version", "1"]])
def test_where_nothing_is_ever_recovered_undelete_says_so_first(
    gateway: Scripted, run: Run, arguments: list[str]
) -> None:
    """Whatever there is or is not; no version that one could name would help."""
    gateway.answers[ListVisibleMounts] = visible(FINAL)
    result = run("undelete", "secret/app", *arguments)
    assert (2, [ListVisibleMounts()]) == (result.exit_code, gateway.asked)
    assert "the store of secret/ deletes for ever: nothing can be recovered there" in result.stderr
    assert "--version" not in result.stderr


NAMED = [["delete", "--version", "7"], ["undelete", "--version", "1", "--version", "7"], ["destroy", "--version", "7"]]


@pytest.mark.parametrize("command", NAMED, ids=" ".join)
@pytest.mark.parametrize("error", [PermissionDenied("not yours"), Unsupported("no versions")])
def test_where_nothing_is_known_a_change_is_asked_for_as_it_is(
    gateway: Scripted, run: Run, command: list[str], error: WardgateError
) -> None:
    """A store without descriptions, or a principal that may not read them, can still delete."""
    gateway.answers.update({DescribeSecret: error, DeleteSecret: None, UndeleteSecret: None, DestroySecret: None})
    yes = [] if command[0] == "undelete" else ["--yes"]
    assert 0 == run(command[0], "secret/app", *command[1:], *yes).exit_code
    assert 2 == len(changing(gateway))


@pytest.mark.parametrize("command", [*NAMED, ["delete"], ["destroy", "--all"]], ids=" ".join)
def test_a_secret_that_is_not_there_is_not_changed(gateway: Scripted, run: Run, command: list[str]) -> None:
    """No success is reported for nothing."""
    yes = [] if command[0] == "undelete" else ["--yes"]
    result = run(command[0], "secret/app", *command[1:], *yes)
    assert (3, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))


@pytest.mark.parametrize("command", NAMED, ids=" ".join)
def test_a_version_that_is_not_there_is_not_changed(gateway: Scripted, run: Run, command: list[str]) -> None:
    """Nor are the others that were named beside it."""
    gateway.answers[DescribeSecret] = KNOWN
    yes = [] if command[0] == "undelete" else ["--yes"]
    result = run(command[0], "secret/app", *command[1:], *yes)
    assert (3, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))
    assert "secret/app has no version 7" in result.stderr


@pytest.mark.parametrize("command", [["undelete"], ["delete", "--yes"]])
def test_a_destroyed_version_stays_destroyed(gateway: Scripted, run: Run, command: list[str]) -> None:
    """Nobody is told that it was recovered, or that it could be."""
    gateway.answers[DescribeSecret] = KNOWN
    result = run(command[0], "secret/app", "--version", "3", *command[1:])
    assert (3, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))
    assert "version 3 is destroyed; nothing can recover it" in result.stderr


@pytest.mark.parametrize(
    ("current", "said"),
    [(KNOWN.versions[2], "version 3 is destroyed; nothing can recover it"),
     (KNOWN.versions[1], "the current version of secret/app, 2, is already deleted")],
)  # fmt: skip
def test_a_current_version_that_is_gone_is_not_deleted_again(
    gateway: Scripted, run: Run, current: VersionInfo, said: str
) -> None:
    """Nobody is told that what is no more could be recovered."""
    gateway.answers[DescribeSecret] = replace(KNOWN, current=current)
    gateway.answers[ListVisibleMounts] = visible(VERSIONED)
    result = run("delete", "secret/app", "--yes")
    assert (3, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))
    assert said in result.stderr


def test_a_secret_whose_current_version_is_destroyed_is_deleted_whole(gateway: Scripted, run: Run) -> None:
    """Where the store knows no other delete: its other versions are still there."""
    gateway.answers |= {DescribeSecret: KNOWN, ListVisibleMounts: visible(WHOLE), DeleteSecret: None}
    assert 0 == run("delete", "secret/app", "--yes").exit_code


def test_undelete_of_a_destroyed_current_version_ends_as_of_a_named_one(gateway: Scripted, run: Run) -> None:
    """It is gone, and no conflict that passes."""
    gateway.answers[DescribeSecret] = KNOWN
    result = run("undelete", "secret/app")
    assert (3, True) == (result.exit_code, "version 3 is destroyed; nothing can recover it" in result.stderr)


def test_undelete_says_recovered_of_deleted_versions_alone(gateway: Scripted, run: Run) -> None:
    """Live ones stay as they are; nothing is asked for where all are."""
    gateway.answers |= {DescribeSecret: KNOWN, UndeleteSecret: None}
    result = run("undelete", "secret/app", "--version", "1")
    assert (5, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))
    assert "version 1 of secret/app: live already; nothing is to be recovered" in result.stderr
    both = run("undelete", "secret/app", "--version", "1", "--version", "2")
    assert (0, "Recovered version 2 of secret/app. Live already: version 1.\n") == (both.exit_code, both.stderr)


@pytest.mark.parametrize("arguments", [["delete", "a"], ["destroy", "a", "--all"], ["destroy", "a", "--version", "1"]])
def test_nothing_is_deleted_unasked(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """Where nobody can be asked, --yes must be there."""
    result = run(*arguments)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "nobody can be asked here; add --yes" in result.stderr


@pytest.mark.usefixtures("somebody")
def test_a_no_stops_a_deletion(gateway: Scripted, run: Run) -> None:
    """The answer is no unless it is yes."""
    gateway.answers[DescribeSecret] = KNOWN
    result = run("delete", "secret/app", input=b"n\n")
    assert (1, [DescribeSecret(path=PATH)]) == (result.exit_code, changing(gateway))


@pytest.mark.parametrize("arguments", [[], ["--all", "--version", "1"]])
def test_destroy_wants_to_know_what(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """Never all by omission."""
    assert run("destroy", "a", "--yes", *arguments).exit_code == 2
    assert gateway.asked == []
