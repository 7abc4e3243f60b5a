"""``odd`` can be mounted in a real gateway, by several workers at once, as any plugin can."""

from __future__ import annotations

import asyncio
import importlib.metadata
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any, cast

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue
from wardgate.spi.hookspecs import ENTRY_POINT_GROUP, BackendType
from wardgate.spi.options import parse
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value


def opened(folder: FilePath) -> Backend:
    (point,) = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP, name="_odd")
    kinds: list[BackendType] = point.load().backend_type()
    options: object = parse(kinds[0].options, {"folder": str(folder)}, of="mount odd/")
    return kinds[0].open(options, cast("Any", SimpleNamespace()))


def test_it_opens_where_its_options_say(tmp_path: FilePath) -> None:
    """The folder is made, and another worker that opens it sees what the first one wrote."""
    path = Path.parse("a/b")
    written = asyncio.run(opened(tmp_path / "odd").write(path, Value(b"\x00")))
    assert written.id == asyncio.run(opened(tmp_path / "odd").read(path)).info.id


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: FilePath) -> None:
    """Plainly, and by the option's name."""
    with pytest.raises(InvalidValue, match="'folder'"):
        opened(tmp_path / "missing" / "odd")


def test_a_secret_s_name_is_no_file_s_name(tmp_path: FilePath) -> None:
    """Names that mean something to a file system stay inside the folder."""
    backend = opened(tmp_path / "odd")
    for name in ("~", "..x", "C:", "x" * 255):
        asyncio.run(backend.write(Path.parse(name), Value(b"")))
    assert 4 == len(asyncio.run(backend.list(ROOT)).entries)
    assert ["odd"] == [file.name for file in tmp_path.iterdir()]
