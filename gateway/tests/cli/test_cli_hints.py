"""What a command says to whoever took a wrong turn: where it was, and the way that leads on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

import pytest
from click.testing import Result
from wardgate.cli import client, progress, terminal
from wardgate.spi.errors import Conflict, Gone, PermissionDenied, Unavailable
from wardgate.spi.operations.mounts import ListMounts, ListVisibleMounts, MountInfo
from wardgate.spi.operations.namespaces import DeleteNamespace
from wardgate.spi.operations.policies import ExplainPolicy, Explanation
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets, ScanSecrets, WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

from tests.support.scripted import Scripted

Run = Callable[..., Result]
CHECK = "check {}: the port, and http:// or https://"
DENIED = Explanation(False, None, None, 0, None, ())  # noqa: FBT003  # as the dataclass has it


@pytest.fixture
def takes_one() -> Iterator[Callable[[bool], str]]:
    """``takes_one(True)``: host and port of a listener that takes what it is sent, and hangs up or says nothing."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def begin(hangs_up: bool) -> str:  # noqa: FBT001  # as its line above reads
        listener = socket.create_server(("127.0.0.1", 0))

        def take() -> None:
            with listener, listener.accept()[0] as connection:
                connection.recv(1 << 16)
                if not hangs_up:
                    over.wait(30)

        threads.append(threading.Thread(target=take))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield begin
    over.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("given", "named"),
    [({"env": True}, "WARDGATE_ADDR"), ({"option": True}, "--address")],
)
def test_tls_to_a_gateway_without_it_is_told(
    run: Run,
    takes_one: Callable[[bool], str],
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, bool],
    named: str,
) -> None:
    """It waits for the rest of what it takes for a request; what the address came from is what to look at."""
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)
    address = f"https://{takes_one(False)}"  # noqa: FBT003  # says nothing
    said = {"env": {"WARDGATE_ADDR": address}} if "env" in given else {}
    result = run("list", *(("--address", address) if "option" in given else ()), **said)
    told = f"{address} does not answer in time: perhaps no TLS is spoken there; {CHECK.format(named)}"
    assert (6, True) == (result.exit_code, told in result.stderr)


def test_plain_http_to_a_gateway_with_tls_is_told(run: Run, takes_one: Callable[[bool], str]) -> None:
    """It hangs up, as others may for other reasons."""
    address = f"http://{takes_one(True)}"  # noqa: FBT003  # hangs up
    result = run("list", env={"WARDGATE_ADDR": address})
    told = f"the connection broke, perhaps as TLS is spoken there; {CHECK.format('WARDGATE_ADDR')}"
    assert (6, True) == (result.exit_code, told in result.stderr)


@pytest.mark.parametrize(
    ("named", "alone"), [((), ", of the policy 'default' alone; name others with --policy"), (("--policy", "p"), "")]
)
def test_a_denial_says_which_policies_were_supposed(
    gateway: Scripted, run: Run, named: tuple[str, ...], alone: str
) -> None:
    """Without one it is not what the caller's own token would meet."""
    gateway.answers[ExplainPolicy] = DENIED
    assert f"denied: no rule allows it{alone}\n" == run("policy", "explain", "read", "a", *named).stdout


def test_a_denial_says_how_to_ask_why(gateway: Scripted, run: Run) -> None:
    """With what the question needs."""
    gateway.answers[ReadSecret] = PermissionDenied("no policy of this token allows it")
    assert "`wardgate policy explain ACTION PATH --policy NAME` says which rule decides." in run("get", "a/b").stderr


@pytest.mark.parametrize("option", ["--time", "--source"])
def test_a_fact_that_cannot_be_is_told_by_its_option(run: Run, option: str) -> None:
    """Not by its place in a document that nobody saw."""
    result = run("policy", "explain", "read", "a", option, "yesterday")
    assert (2, True) == (result.exit_code, result.stderr.startswith(f"Error: {option} must be "))


def test_a_comparison_counts_each_secret_once(gateway: Scripted, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it has two sides, and two rounds."""
    monkeypatch.setattr(progress, "EVERY", 0)
    monkeypatch.setattr(terminal, "somebody_watches", lambda: True)
    gateway.answers[ListVisibleMounts] = tuple(MountInfo(at, Path((at,)), "native", {}, {}, 0) for at in "ab")
    gateway.answers[ScanSecrets] = Page((Entry("x"), Entry("y")))
    gateway.answers[ReadSecrets] = (Unavailable("the store is down"), Unavailable("the store is down"))
    shown = run("copy", "a", "b", "-r", "--dry-run").stderr
    assert "Comparing … 2 secrets" in shown
    assert not any(f"{more} secrets" in shown for more in (3, 4))


def test_a_namespace_with_mounts_says_whose_key_removes_them(gateway: Scripted, run: Run) -> None:
    """The parent's own key does not reach into it."""
    gateway.answers[DeleteNamespace] = Conflict("the namespace has mounts; remove them first")
    result = run("namespace", "delete", "app", "--yes", "--namespace", "team")
    assert (5, True) == (
        result.exit_code,
        "There, `wardgate mount remove PREFIX --namespace team/app` does it." in result.stderr,
    )


def test_a_secret_that_is_there_is_not_created(gateway: Scripted, run: Run) -> None:
    """To read it and try again would not help; another conflict is told as it came."""
    gateway.answers[WriteSecret] = Conflict("there is a version already; read it and try again")
    refused = run("put", "a/b", "-", "--create", input=b"x")
    assert (5, False) == (refused.exit_code, "try again" in refused.stderr)
    assert refused.stderr.startswith("Error: a/b has a version already, perhaps a deleted one\nWithout --create")
    assert "read it and try again" in run("put", "a/b", "-", "--expect", "1", input=b"x").stderr


def test_nothing_mounted_is_told_to_whoever_may_know(gateway: Scripted, run: Run) -> None:
    """Others hear that there is nothing they may see."""
    gateway.answers |= {ListVisibleMounts: (), ListMounts: ()}
    assert "Nothing is mounted; `wardgate mount add` mounts a store.\n" == run("list").stderr
    gateway.answers[ListMounts] = PermissionDenied("no policy of this token allows it")
    assert "There is nothing here that you may see.\n" == run("list").stderr


@pytest.mark.parametrize("arguments", [["--json", "get", "a"], ["mount", "--json", "list"]])
def test_an_option_before_its_command_is_told_where_it_goes(run: Run, arguments: list[str]) -> None:
    """At both levels, and nothing else is guessed."""
    result = run(*arguments)
    assert (2, "Error: No such option '--json'.\nPut --json after the command.\n") == (result.exit_code, result.stderr)


def test_an_unknown_type_is_a_question_or_a_statement(run: Run) -> None:
    """And never both."""
    near = run("mount", "add", "x", "--type", "valt", "--option", "a=b").stderr
    far = run("mount", "add", "x", "--type", "native_", "--option", "a=b").stderr
    assert "did you mean 'vault'? If the gateway" in near
    assert "?." not in near + far


@pytest.mark.parametrize(("arguments", "code"), [(["Demo!"], 2), (["native"], 5), (["other", "--into", "there"], 5)])
def test_a_plugin_that_is_not_begun_ends_as_the_table_says(
    run: Run, tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    """Wrong input, or what is there already."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert code == run("plugin", "new", *arguments).exit_code
    assert [tmp_path / "there"] == list(tmp_path.iterdir())


@pytest.mark.parametrize(("state", "advised"), [("destroyed", False), ("deleted", True)])
def test_undelete_is_advised_of_what_it_recovers(gateway: Scripted, run: Run, state: str, advised: bool) -> None:  # noqa: FBT001  # a table's
    """A destroyed version is none of that."""
    gateway.answers[ReadSecret] = Gone(f"version 3 is {state}")
    result = run("get", "a/b")
    assert (3, advised) == (result.exit_code, "undelete" in result.stderr)
    assert "`wardgate history` shows the versions" in result.stderr


def test_a_login_without_a_secret_id_stores_nothing(gateway: Scripted, run: Run) -> None:
    """And does not speak of storing."""
    result = run("approle", "login", "--role-id", "r", input=b"")
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "stdin is empty: give the secret id there, or --secret-id-file FILE" in result.stderr
    assert "store" not in result.stderr
