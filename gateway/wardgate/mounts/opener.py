"""Opens backends: parses a mount's options by its type, and lends the plugin a clock, a keyring and storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from wardgate import registry
from wardgate.mounts import guard
from wardgate.mounts.table import Mount, MountRow
from wardgate.spi import options
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.options import nearest
from wardgate.spi.services import Clock, Keyring, Services
from wardgate.state import State


class Opener:
    """Opens mounts with the loaded plugins' types.

    Args:
        types: backend types by name.
        state: for the namespace's keyring and its storage.
        clock: lent to the plugin.
        loaded: the names of the loaded plugins, for the message about a type that none of them offers.
    """

    def __init__(
        self, types: Mapping[str, BackendType], state: State, clock: Clock, loaded: Collection[str] = ()
    ) -> None:
        self.types = types
        self._loaded = loaded
        self._state = state
        self._clock = clock

    def embedded(self, kind: str) -> bool:
        """Whether backends of that type keep all they hold in the gateway's storage."""
        return kind in self.types and self.types[kind].embedded

    def keyring(self, mount: Mount) -> Keyring:
        """The keys of a mount's namespace. What is sealed with them binds the mount for itself."""
        return self._state.keyring(mount.namespace)

    def elsewhere(self) -> str:
        """The end of a message about an unknown type: plugins that are installed and not loaded; none is imported."""
        others = ", ".join(name for name in registry.installed() if name not in self._loaded)
        if not others:
            return ""
        return (
            f"; plugins that are installed and not loaded have others: {others} (name the plugin in the configuration: "
            "plugins = […], and start the gateway again)"
        )

    def of_row(self, namespace: str, row: MountRow) -> Backend:
        """The opened backend of one mount, held to its promises.

        Raises:
            InvalidValue: no loaded plugin offers its type, or an option is wrong; names the nearest right one.
            Unavailable: it cannot be opened now.
        """
        kind = self.types.get(row.type)
        if kind is None:
            raise InvalidValue(
                f"no loaded plugin offers the backend {row.type!r}{nearest(row.type, self.types)}{self.elsewhere()}"
            )
        if not self._may_have_stored(namespace, row):
            self._state.make_store(namespace)
        parsed: object = options.parse(kind.options, row.options, of=f"mount {row.prefix}/")
        lent = Services(
            clock=self._clock,
            keyring=self._state.keyring(namespace).scoped(row.id),
            storage=self._state.database(namespace),
            namespace=namespace,
            mount=row.id,
        )
        return guard.opened(f"mount {row.prefix}/", lambda: kind.open(parsed, lent))

    def _may_have_stored(self, namespace: str, row: MountRow) -> bool:
        """Whether the namespace's file must be there already: for this mount, when it is kept, or for another one."""
        kept = self._state.mounts.of(namespace)
        return any(other.id == row.id or self.embedded(other.type) for other in kept)
