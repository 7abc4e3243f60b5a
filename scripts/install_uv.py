"""Put the pinned uv into a folder, with nothing but Python's standard library: a fresh machine may have no pip.

Usage: python3 scripts/install_uv.py FOLDER

The wheel comes from the Python package index (PIP_INDEX_URL, where set) and must have the SHA-256 pinned here.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

VERSION = "0.13.8"
WHEELS = {  # (system, machine): (end of the wheel's name, SHA-256)
    ("Linux", "x86_64"): (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "e18a57b8b352eb7c8feb317b9f6f533c8f0ad9673fd6cf34bbe3cf1a9f6a8984",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_28_aarch64",
        "5337c30bb893b4f9ce0ceb921ba2da0d13f649da644f40ad3bef84083bef0203",
    ),
    ("Darwin", "x86_64"): (
        "macosx_10_12_x86_64",
        "b7124ca1956ec2e476a1003ea5715a15f0266afaec37f4dc9c6972ba8183e6d1",
    ),
    ("Darwin", "arm64"): (
        "macosx_11_0_arm64",
        "62b6943c7fd64fac6854f780bea6e0359e5a5bc3241f83ee357bb38276afac49",
    ),
}


def fetch(url: str) -> bytes:
    """The body at ``url``. A machine without certificate authorities is served too: the pinned hash decides."""
    try:
        return bytes(urllib.request.urlopen(url, timeout=60).read())
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ssl.SSLCertVerificationError):
            raise
        unverified = ssl._create_unverified_context()  # noqa: SLF001  # integrity comes from the SHA-256 above
        return bytes(urllib.request.urlopen(url, timeout=60, context=unverified).read())


def wheel(index: str) -> bytes:
    """The wheel for this machine, checked against its pinned hash."""
    try:
        tag, digest = WHEELS[platform.system(), platform.machine()]
    except KeyError:
        sys.exit(f"no uv is pinned for {platform.system()} {platform.machine()}; install uv {VERSION} yourself")
    name = f"uv-{VERSION}-py3-none-{tag}.whl"
    page = f"{index.rstrip('/')}/uv/"
    link = re.search(rf'href="([^"#]*{re.escape(name)})', fetch(page).decode())
    if not link:
        sys.exit(f"{page} does not list {name}; install uv {VERSION} yourself")
    body = fetch(urllib.parse.urljoin(page, link.group(1)))
    if hashlib.sha256(body).hexdigest() != digest:
        sys.exit(f"{name} does not have its pinned SHA-256; nothing was installed")
    return body


def main() -> None:
    """Install into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple")
    try:
        archive = zipfile.ZipFile(io.BytesIO(wheel(index)))
    except OSError as error:
        sys.exit(f"uv could not be fetched from {index}: {error}; check the network, or install uv {VERSION} yourself")
    part = folder / f"uv.{os.getpid()}"
    part.write_bytes(archive.read(f"uv-{VERSION}.data/scripts/uv"))
    part.chmod(0o755)
    part.replace(folder / "uv")


if __name__ == "__main__":
    main()
