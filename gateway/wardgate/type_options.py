"""What the configuration sets of front-ends and authenticators: ``[frontend.NAME]`` and ``[authenticator.NAME]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from wardgate.spi.errors import InvalidValue, WardgateError
from wardgate.spi.options import describe, nearest, parse

FRONTEND: Final = "frontend"
AUTHENTICATOR: Final = "authenticator"
TABLES: Final = (FRONTEND, AUTHENTICATOR)
T = TypeVar("T")
Given = Mapping[str, Mapping[str, object]]


class _HasOptions(Protocol):
    @property
    def options(self) -> type: ...


@dataclass(frozen=True, slots=True)
class TypeOptions:
    """The tables as they stand in ``file``, by table and name; checked once the plugins that declare them are loaded.

    ``exposed``: others on this machine can read the file, so no secret may be in it.
    """

    given: Mapping[str, Given] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    file: Path | None = field(default=None, compare=False)
    exposed: bool = field(default=False, compare=False)

    @classmethod
    def read(cls, whole: Mapping[str, object], file: Path, *, exposed: bool) -> TypeOptions:
        """Those of a whole configuration. Raises InvalidValue where something else than tables stands there."""
        given: dict[str, Given] = {}
        for table in TABLES:
            found = whole.get(table, {})
            if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
                raise InvalidValue(f"{table!r} must hold a table for each type: [{table}.NAME]")
            if found:
                given[table] = found
        return cls(given, file, exposed)

    def parsed(self, table: str, types: Mapping[str, _HasOptions]) -> Mapping[str, object]:
        """The options of each of ``types``, by its name.

        Raises:
            InvalidValue: the table of a type that no loaded plugin offers, or an option unknown, missing, of a wrong
                type, or secret in a file that others can read; names the file, the table and the key, never a value.
        """
        given = self.given.get(table, {})
        for name in given:
            if name not in types:
                raise InvalidValue(f"{self.of(table, name)}: no loaded plugin offers {name!r}{nearest(name, types)}")
        return {name: self._parsed(self.of(table, name), kind, given.get(name, {})) for name, kind in types.items()}

    def of(self, table: str, name: str) -> str:
        """What messages call the table of one type."""
        return f"{self.file}: [{table}.{name}]" if self.file else f"[{table}.{name}]"

    def _parsed(self, of: str, kind: _HasOptions, given: Mapping[str, object]) -> object:
        secret = next((one.name for one in describe(kind.options) if one.secret and one.name in given), None)
        if self.exposed and secret is not None:
            raise InvalidValue(
                f"{of}: option {secret!r} is a secret, and other users can read the file; run: chmod 600 {self.file}"
            )
        return opened(of, lambda: parse(kind.options, given, of=of), what="its options cannot be checked")


def opened(of: str, opening: Callable[[], T], *, what: str = "it cannot be opened") -> T:
    """What ``opening``, a plugin's own code, returns; whatever it raises becomes one sentence that begins with ``of``.

    Raises:
        InvalidValue: of a foreign exception only its kind is told: its text could hold a secret.
    """
    try:
        return opening()
    except WardgateError as error:
        said = error.message if error.message.startswith(f"{of}: ") else f"{of}: {error.message}"
    except Exception as error:  # noqa: BLE001  # a plugin's defect stops the start with one sentence
        said = f"{of}: {what}: {type(error).__name__}"
    raise InvalidValue(said)
