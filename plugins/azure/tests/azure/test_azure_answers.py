"""What an answer may weigh, and what the environment may add to a request."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from pathlib import Path as FilePath

import pytest
import trustme
from tests.servers.key_vault_client import CLOCK, Credential
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import Path
from wardgate_azure import answers, client
from wardgate_azure.options import Options
from wardgate_azure.plugin import open_with

PACKED = gzip.compress(bytes(1024))


async def asked(folder: FilePath, head: str, body: bytes) -> tuple[str, list[bytes]]:
    """The error of a read that is answered so, and the requests that came."""
    authority, seen = trustme.CA(), []
    trusted = folder / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n".encode() + body)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        backend = open_with(Options(vault_url=url, ca_file=str(trusted), retries=0), CLOCK, Credential())
        with pytest.raises(Unavailable) as refused:
            await backend.read(Path.parse("team/database"))
        await backend.close()
    return refused.value.message, seen


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"Content-Length: {len(PACKED)}\r\nContent-Encoding: gzip", PACKED),
        ("Content-Length: 65", b" " * 65),
        ("Transfer-Encoding: chunked", b"41\r\n" + b" " * 65 + b"\r\n0\r\n\r\n"),
    ],
    ids=["packed", "plain", "in chunks"],
)
def test_an_answer_that_is_packed_or_too_large_is_given_up(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch, head: str, body: bytes
) -> None:
    """A small one could unpack to gigabytes; the request says that it wants none of that."""
    monkeypatch.setattr(answers, "LARGEST", 64)
    message, seen = asyncio.run(asked(tmp_path, head, body))
    assert "the connection to the store broke" in message
    assert b"accept-encoding: identity\r\n" in seen[0].lower()


def test_no_login_of_the_environment_reaches_the_vault(tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of a file for other programs."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password swordfish\n")
    monkeypatch.setenv("NETRC", str(netrc))
    _, seen = asyncio.run(asked(tmp_path, "Content-Length: 0\r\nContent-Encoding: gzip", b""))
    assert b"authorization:" not in seen[0].lower()


def test_the_proxy_is_the_environment_s_for_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the vault's host is to be asked directly."""
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client._proxy("https://example.vault.azure.net") == "http://proxy.example:3128"
    assert client._proxy("https://127.0.0.1:8200") is None
