"""The configuration file: checked whole, and every refusal names the file, the key and the cure."""

from __future__ import annotations

import pathlib
import re

import pytest
from wardgate.config import AuditConfig, Config, ConfigError, Limits, Tls, load, parse_listen

MINIMAL = '[data]\nfolder = "state"\nkey_file = "keys/wardgate.key"\n'


def write(folder: pathlib.Path, text: str) -> pathlib.Path:
    file = folder / "wardgate.toml"
    file.write_text(text)
    return file


def test_the_smallest_file_gets_the_defaults(tmp_path: pathlib.Path) -> None:
    """Relative paths start at the file's folder."""
    expected = Config(
        data=tmp_path / "state",
        key_file=tmp_path / "keys" / "wardgate.key",
        audit=AuditConfig(tmp_path / "state" / "audit"),
    )
    assert expected == load(write(tmp_path, MINIMAL))
    assert expected.listen == ("127.0.0.1", 8200)
    assert expected.runtime == expected.data


def test_every_key_is_taken(tmp_path: pathlib.Path) -> None:
    """A file that says everything."""
    text = """
        plugins = ["native"]
        [server]
        listen = "0.0.0.0:443"
        workers = 4
        tls_certificate = "cert.pem"
        tls_key = "/etc/key.pem"
        tls_client_ca = "ca.pem"
        tls_client_required = true
        [data]
        folder = "/var/lib/wardgate"
        key_file = "/etc/wardgate.key"
        [audit]
        folder = "/var/log/wardgate"
        synced = false
        max_file_bytes = 10_000_000
        retention_files = 7
        [limits]
        body_bytes = 1_000
        header_seconds = 2
    """
    expected = Config(
        data=pathlib.Path("/var/lib/wardgate"),
        key_file=pathlib.Path("/etc/wardgate.key"),
        audit=AuditConfig(
            pathlib.Path("/var/log/wardgate"), synced=False, max_file_bytes=10_000_000, retention_files=7
        ),
        listen=("0.0.0.0", 443),
        tls=Tls(
            tmp_path / "cert.pem", pathlib.Path("/etc/key.pem"), client_ca=tmp_path / "ca.pem", client_required=True
        ),
        workers=4,
        plugins=("native",),
        limits=Limits(body_bytes=1_000, header_seconds=2),
    )
    assert expected == load(write(tmp_path, text))


REFUSED = {
    "sever = 1": "unknown key 'sever'; did you mean 'server'?",
    "[sever]\nlisten = 'x'": "unknown key 'sever'; did you mean 'server'?",
    "[server]\nlisten_on = '127.0.0.1:1'": "[server]: unknown option 'listen_on'; did you mean 'listen'?",
    "[limits]\nbody_byte = 1": "[limits]: unknown option 'body_byte'; did you mean 'body_bytes'?",
    "[audit]\nsync = true": "[audit]: unknown option 'sync'; did you mean 'synced'?",
    "server = 1": "'server' must be a table: [server]",
    "[server]\nworkers = '2'": "[server]: option 'workers' must be a whole number",
    "[server]\nworkers = true": "[server]: option 'workers' must be a whole number",
    "[server]\nworkers = 0": "workers must be from 1 to 64",
    "[server]\nlisten = '8200'": "listen: '8200' is not HOST:PORT",
    "[server]\nlisten = '127.0.0.1:70000'": "listen: '127.0.0.1:70000' is not HOST:PORT",
    "[server]\nlisten = '0.0.0.0:8200'": "listen: '0.0.0.0' can be reached from other machines; set tls_certificate",
    "[server]\nlisten = '[::]:8200'": "listen: '::' can be reached from other machines; set tls_certificate",
    "[server]\nlisten = 'gateway.internal:8200'": "listen: 'gateway.internal' can be reached from other machines",
    "[server]\ntls_key = 'k'": "[server]: option 'tls_certificate' is missing",
    "[server]\ntls_certificate = 'c'": "[server]: option 'tls_key' is missing",
    "[server]\ntls_client_ca = 'c'": "[server]: client certificates need TLS",
    "[server]\ntls_key = 'k'\ntls_certificate = 'c'\ntls_client_required = true": "tls_client_required needs",
    "[limits]\nbody_bytes = 0": "[limits]: option 'body_bytes' must be more than zero",
    "[limits]\nidle_seconds = -1": "[limits]: option 'idle_seconds' must be more than zero",
    "[limits]\nidle_seconds = nan": "[limits]: option 'idle_seconds' must be more than zero",
    "[audit]\nmax_file_bytes = 1": "[audit]: option 'max_file_bytes' must be at least",
    "[audit]\nretention_files = -1": "[audit]: option 'retention_files' must be at least 0",
    "plugins = 'native'": "'plugins' must be a list of names",
    "plugins = [1]": "'plugins' must be a list of names",
    "plugins = ['a', 'a']": "'plugins' has one name twice",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_used_is_refused_with_its_key(tmp_path: pathlib.Path, text: str) -> None:
    """The message starts with the file's name and names the key."""
    with pytest.raises(ConfigError, match=re.escape(REFUSED[text])) as caught:
        load(write(tmp_path, f"{text}\n{MINIMAL}"))
    assert caught.value.message.startswith(f"{tmp_path}/wardgate.toml: ")
    assert "\n" not in caught.value.message


def test_a_missing_section_says_what_is_missing(tmp_path: pathlib.Path) -> None:
    """The required keys."""
    with pytest.raises(ConfigError, match=r"\[data\]: option 'folder' is missing: folder of the state"):
        load(write(tmp_path, ""))


@pytest.mark.parametrize("key", ["state/wardgate.key", "state/../state/a/wardgate.key"])
def test_a_key_file_in_the_data_folder_is_refused(tmp_path: pathlib.Path, key: str) -> None:
    """Whoever copies the folder must not get its key."""
    with pytest.raises(ConfigError, match=r"key_file: .* lies in the data folder"):
        load(write(tmp_path, f'[data]\nfolder = "state"\nkey_file = "{key}"'))


def test_a_key_file_behind_a_link_into_the_data_folder_is_refused(tmp_path: pathlib.Path) -> None:
    """Links are followed before the comparison."""
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "state")
    with pytest.raises(ConfigError, match="lies in the data folder"):
        load(write(tmp_path, '[data]\nfolder = "state"\nkey_file = "link/wardgate.key"'))


def test_an_unreadable_or_broken_file_is_said_in_one_sentence(tmp_path: pathlib.Path) -> None:
    """Missing, not TOML, not text."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(write(tmp_path, "a = "))
    (tmp_path / "wardgate.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "wardgate.toml")


def test_a_dev_configuration_keeps_its_key_beside_the_data(tmp_path: pathlib.Path) -> None:
    """In the folder given, or in a temporary one that is marked as such; its token shows nowhere."""
    config = Config.for_dev(folder=tmp_path, token="canary", listen="127.0.0.1:0", workers=3)
    assert (config.data, config.key_file, config.runtime) == (tmp_path / "data", tmp_path / "wardgate.key", tmp_path)
    assert config.dev
    assert config.dev.temporary is None
    assert "canary" not in repr(config)
    temporary = Config.for_dev()
    assert temporary.dev
    assert temporary.dev.temporary
    assert temporary.data.is_relative_to(temporary.dev.temporary)
    temporary.dev.temporary.rmdir()


def test_a_dev_server_listens_on_loopback_only(tmp_path: pathlib.Path) -> None:
    """Its token may be known to anybody."""
    with pytest.raises(ConfigError, match="dev listens on loopback only"):
        Config.for_dev(folder=tmp_path, listen="0.0.0.0:8200")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:8200", ("::1", 8200)), ("localhost:1", ("localhost", 1))],
)
def test_an_address_is_host_and_port(text: str, expected: tuple[str, int]) -> None:
    """IPv6 in brackets."""
    assert expected == parse_listen(text)


@pytest.mark.parametrize("text", ["", ":", "a:", ":1", "::1:8200", "a:-1", "a:1x", "[a]:1:2", "a: 1", "[::1]", "a:²"])
def test_anything_else_is_refused(text: str) -> None:
    """One plain sentence."""
    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        parse_listen(text)
