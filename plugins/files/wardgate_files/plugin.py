"""What this distribution offers: a folder of age-encrypted files."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl

from wardgate_files.backend import DECLARATION, open_files
from wardgate_files.options import Options

BACKEND = BackendType(
    name="files",
    help="a folder of age-encrypted files, one for each secret",
    open=open_files,
    options=Options,
    declarations=(DECLARATION,),
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The one kind of store."""
    return [BACKEND]
