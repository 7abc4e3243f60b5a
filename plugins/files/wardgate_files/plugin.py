"""What this distribution offers: a folder of age-encrypted files."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.services import Services

from wardgate_files.backend import FilesBackend
from wardgate_files.declaration import DECLARATION
from wardgate_files.options import Options, load_keys


def open_files(options: Options, _: Services) -> FilesBackend:
    """Open a folder. Raises InvalidValue when a key cannot be used."""
    return FilesBackend(options.folder, load_keys(options))


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
