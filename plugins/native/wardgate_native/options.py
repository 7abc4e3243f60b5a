"""What can be set for a mount of the native store."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.options import option


@dataclass(frozen=True, slots=True)
class Options:
    """Defaults for every secret of the mount; a secret's own settings go first."""

    max_versions: int = option(help="Versions kept of a secret that sets none itself", default=10)
    compare_and_set_required: bool = option(help="Refuse writes that do not say what they replace", default=False)
