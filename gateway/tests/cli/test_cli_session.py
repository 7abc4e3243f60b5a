"""Where a command finds its gateway and its token, and how it fails when it cannot."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, reject
from hypothesis import strategies as st
from wardgate.cli import exits
from wardgate.cli.paths import path_of
from wardgate.cli.root import COMMANDS, wardgate
from wardgate.cli.terminal import printable
from wardgate.spi.errors import CLOSED_LIST, Malformed, Unauthenticated
from wardgate.spi.identity import Credential
from wardgate.spi.operations.mounts import ListMounts
from wardgate.spi.path import Path as SecretPath

from tests.support.scripted import Scripted

Run = Callable[..., Result]
TOKEN = "wg_canary-token-5d1e"


def test_help_lists_every_command_and_exit_code() -> None:
    """Without importing one of them."""
    shown = CliRunner().invoke(wardgate, ["--help"]).stdout
    assert [name for name in COMMANDS if f"  {name} " not in shown] == []
    assert [meaning for meaning in exits.MEANINGS.values() if meaning not in shown] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each can be imported, has help, and (or its subcommands have) ``--json``."""
    shown = CliRunner().invoke(wardgate, [command, "--help"])
    assert shown.exit_code == 0
    assert "--json" in shown.stdout or "Commands:" in shown.stdout


def test_help_is_quick() -> None:
    """It loads no HTTP client, no database, no tables, no policy engine and no cryptography."""
    code = (
        "import sys\nfrom wardgate.cli.root import wardgate\n"
        "try: wardgate(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'httpx2', 'sqlalchemy', 'rich', 'casbin', 'cryptography', 'uvicorn', 'msgspec', 'tomlkit'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr.strip() == "[]"


def test_completion_knows_the_commands() -> None:
    """By name and help, without importing one."""
    with wardgate.make_context("wardgate", [], resilient_parsing=True) as context:
        assert [("policy", COMMANDS["policy"][1])] == [
            (item.value, item.help) for item in wardgate.shell_complete(context, "po")
        ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\t", "two\nlines\t"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("a\u202eb", "a\\u202eb"),
        ("\u2028", "\\u2028"),
        ("👩\u200d🚀 ü", "👩\u200d🚀 ü"),
    ],
)
def test_nothing_shown_steers_the_terminal(text: str, shown: str) -> None:
    """Escape sequences and turned text are shown as what they are; people's letters stay."""
    assert printable(text) == shown


def test_every_error_has_an_exit_code() -> None:
    """No error of the closed list is left to the default."""
    assert {error.code for error in CLOSED_LIST} - set(exits.OF_CODE) == set()


def test_a_token_file_comes_before_the_environment(gateway: Scripted, run: Run, tmp_path: Path) -> None:
    """White space around the token is not part of it."""
    gateway.answers[ListMounts] = ()
    file = tmp_path / "token"
    file.write_text("wg_from_file\n")
    assert run("mount", "list", "--token-file", str(file)).exit_code == 0
    assert gateway.credentials == [Credential("token", "wg_from_file")]


def test_the_namespace_is_sent(gateway: Scripted, run: Run) -> None:
    """As an option or from the environment, in its canonical form."""
    gateway.answers[ListMounts] = ()
    run("mount", "list", "--namespace", "a/b/")
    run("mount", "list", env={"WARDGATE_NAMESPACE": "ü"})
    assert gateway.namespaces == ["a/b", "ü"]


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"WARDGATE_TOKEN": None}, 4),
        ({"WARDGATE_TOKEN": "  "}, 4),
        ({"WARDGATE_TOKEN": "a\nb"}, 4),
        ({"WARDGATE_TOKEN_FILE": "/nowhere/at/all"}, 2),
        ({"WARDGATE_NAMESPACE": "a/../b"}, 2),
        ({"WARDGATE_ADDR": "http://gateway.example:8200"}, 2),
        ({"WARDGATE_ADDR": "http://10.1.2.3"}, 2),
        ({"WARDGATE_ADDR": "gateway.example"}, 2),
        ({"WARDGATE_ADDR": "ftp://127.0.0.1"}, 2),
        ({"WARDGATE_ADDR": "http://user:pw@127.0.0.1"}, 2),
        ({"WARDGATE_ADDR": "http://127.0.0.1:x"}, 2),
        ({"WARDGATE_ADDR": "http://127.0.0.1/elsewhere"}, 2),
        ({"WARDGATE_ADDR": "http://127.0.0.1:1"}, 6),
        ({"WARDGATE_CA_FILE": "/nowhere/at/all"}, 2),
    ],
)
def test_a_wrong_environment_is_one_plain_sentence(
    gateway: Scripted, run: Run, environment: dict[str, str | None], code: int
) -> None:
    """Nothing is sent, and the token is not told."""
    result = run("mount", "list", env=environment)
    assert (code, "", []) == (result.exit_code, result.stdout, gateway.asked)
    assert result.stderr.startswith("Error: ")
    assert TOKEN not in result.stderr


def test_a_path_outside_the_grammar_is_not_sent(gateway: Scripted, run: Run) -> None:
    """An HTTP client would clean the dots away, and ask for something else."""
    assert run("get", "secret/../other").exit_code == 2
    assert gateway.asked == []


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a web server that answers everything with a page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html>welcome</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", [["get", "a"], ["list"], ["put", "a", "-"], ["mount", "list"]])
def test_a_page_is_no_secret(run: Run, elsewhere: str, command: list[str]) -> None:
    """A wrong address that answers is told apart from a gateway."""
    result = run(*command, input=b"x", env={"WARDGATE_ADDR": elsewhere})
    assert (6, "") == (result.exit_code, result.stdout)
    assert "is the address right?" in result.stderr


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/\\"), max_size=12),
        min_size=1,
        max_size=5,
    )
)
def test_a_path_comes_over_the_wire_unchanged(segments: list[str]) -> None:
    """Whatever the grammar allows is written into a URL so that it is read back as the same path."""
    try:
        path = SecretPath.parse("/".join(segments))
    except Malformed:
        reject()
    assert SecretPath.from_raw(path_of(str(path)).encode()) == path


def test_a_defect_is_told_without_its_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception's text could hold what was being worked on."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-value-91bc")

    monkeypatch.setattr("wardgate.cli.client.Client.json", broken)
    result = run("mount", "list")
    assert result.exit_code == 1
    assert "RuntimeError" in result.stderr
    assert "canary" not in result.output


REFUSED = ": wrong, expired, revoked, or another namespace's."


@pytest.mark.parametrize(
    ("options", "environment", "hint"),
    [
        ([], {}, f"the token of WARDGATE_TOKEN in the root namespace{REFUSED}"),
        (["--namespace", "a/b"], {}, f"the token of WARDGATE_TOKEN in namespace 'a/b'{REFUSED}"),
        (
            [],
            {"WARDGATE_TOKEN_FILE": "token", "WARDGATE_TOKEN": ""},
            f"the token in token in the root namespace{REFUSED}",
        ),
        (
            [],
            {"WARDGATE_TOKEN_FILE": "token"},
            f"the token in token, which goes before the one of WARDGATE_TOKEN, in the root namespace{REFUSED}",
        ),
    ],
)
def test_a_token_that_is_refused_is_told_by_where_it_came_from(
    gateway: Scripted, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], environment: dict[str, str], hint: str,
) -> None:  # fmt: skip
    """And by the namespace it was shown in; the token itself is not told."""
    monkeypatch.chdir(tmp_path)
    Path("token").write_text(TOKEN)
    gateway.answers[ListMounts] = Unauthenticated("permission denied")
    result = run("mount", "list", *options, env=environment)
    assert (4, "") == (result.exit_code, result.stdout)
    assert f"The gateway does not accept {hint}" in result.stderr
    assert TOKEN not in result.stderr


def test_an_empty_token_file_is_named(gateway: Scripted, run: Run, tmp_path: Path) -> None:
    """Nothing is asked of the gateway, nor of a person."""
    (tmp_path / "token").write_text("\n")
    result = run("mount", "list", "--token-file", str(tmp_path / "token"))
    assert (2, []) == (result.exit_code, gateway.asked)
    assert f"the token file {tmp_path / 'token'} is empty" in result.stderr


@pytest.mark.parametrize(
    ("command", "lists"),
    [
        ("policy read a", "policy list"), ("key revoke a --yes", "key list"), ("approle read a", "approle list"),
        ("mount show a", "mount list"), ("namespace delete a --yes", "namespace list"), ("get a", "list"),
        ("get a/b", "list a"),
    ],
)  # fmt: skip
def test_what_is_not_found_names_the_command_that_lists_it(run: Run, command: str, lists: str) -> None:
    """Nothing is scripted, so nothing is there."""
    result = run(*command.split())
    assert 3 == result.exit_code
    assert f"Check the name; `wardgate {lists}` shows what is there." in result.stderr


def test_tls_to_an_http_address_is_told(served: tuple[str, Scripted], run: Run) -> None:
    """What comes back is no TLS, which OpenSSL tells in words for the few."""
    result = run("mount", "list", "--address", served[0].replace("http://", "https://"))
    told = "no TLS is spoken there; check --address: the port, and http:// or https://"
    assert (6, True) == (result.exit_code, told in result.stderr)


@pytest.mark.parametrize("arguments", [[], ["mount"]])
def test_no_command_is_a_wish_for_help(run: Run, arguments: list[str]) -> None:
    """Not an error to be told of."""
    result = run(*arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr.startswith("Usage: ")
    assert "Error" not in result.stderr


@pytest.mark.parametrize(("arguments", "near"), [(["gte"], "get"), (["mount", "lsit"], "list")])
def test_a_misspelt_command_names_its_neighbour(run: Run, arguments: list[str], near: str) -> None:
    """At both levels."""
    assert f"Did you mean '{near}'?" in run(*arguments).stderr


@pytest.mark.parametrize("arguments", [["gte"], ["get"], ["get", "a", "--nonsense"], ["mount", "nonsense"]])
def test_wrong_usage_ends_in_2(gateway: Scripted, run: Run, arguments: list[str]) -> None:
    """And points at the help."""
    result = run(*arguments)
    assert (2, []) == (result.exit_code, gateway.asked)
    assert "--help" in result.stderr
