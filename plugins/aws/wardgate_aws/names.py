"""Which name stands for which path.

To Secrets Manager ``a/b`` is a name like any other; the parameter of that path is ``/a/b``, or that below a mount's
prefix.
"""

from __future__ import annotations

import re
import secrets
import string

from wardgate.spi.errors import InvalidValue, TooLarge
from wardgate.spi.names import Names
from wardgate.spi.path import Path

from wardgate_aws.declaration import MAX_PARAMETER_NAME, MAX_PREFIX

NAMES = Names(plain=string.ascii_letters + string.digits + "_+=.@-", escape="=", max_length=512)
"""Of Secrets Manager."""
MAX_LEVELS = 15
_RESERVED = ("aws", "ssm")
_PREFIX = re.compile(r"/|(?:/[A-Za-z0-9_.-]+)+/?")


class Hierarchy(Names):
    """The part of Parameter Store's hierarchy that a mount shows.

    Args:
        prefix: where it begins, such as ``/team/``. Raises InvalidValue where that cannot be.
    """

    def __init__(self, prefix: str) -> None:
        if not _PREFIX.fullmatch(prefix) or len(prefix) > MAX_PREFIX:
            raise InvalidValue(
                f"option 'prefix' must be like /team/, of letters, digits and '_.-', at most {MAX_PREFIX} long"
            )
        if prefix.lstrip("/").lower().startswith(_RESERVED):
            raise InvalidValue("option 'prefix' begins with 'aws' or 'ssm', which the store keeps to itself")
        self.prefix = prefix.rstrip("/") + "/"
        super().__init__(
            plain=string.ascii_letters + string.digits + "_.-",
            escape="_x",
            max_length=MAX_PARAMETER_NAME - len(self.prefix),
        )

    def name_of(self, path: Path) -> str:
        """The name that a parameter of this path is written under.

        Raises:
            InvalidValue: it is the root, or the store keeps such names to itself.
            TooLarge: it is longer, or deeper, than the store can hold.
        """
        name = self.prefix + super().name_of(path)
        if not self._allowed(path):
            raise InvalidValue("this store keeps names that begin with 'aws' or 'ssm' to itself")
        if name.count("/") > MAX_LEVELS:
            raise TooLarge(f"the path has more than the {MAX_LEVELS} levels this store can hold, the prefix's included")
        return name

    def path_of(self, name: str) -> Path | None:
        """The path of a parameter; None for one that is not below the prefix, or that nobody could ask for."""
        # To the store, a name without a slash and the same with one are one parameter.
        rooted = name if name.startswith("/") else f"/{name}"
        if not rooted.startswith(self.prefix):
            return None
        path = super().path_of(rooted.removeprefix(self.prefix))
        return path if path is not None and self._allowed(path) else None

    def nobody(self) -> str:
        """The name of a parameter that cannot be there."""
        return f"{self.prefix}wardgate-probe-{secrets.token_hex(8)}"

    def _allowed(self, path: Path) -> bool:
        first = (self.prefix + str(path)).lstrip("/").lower()
        return not first.startswith(_RESERVED)
