"""Which name stands for which path."""

from __future__ import annotations

import string

from wardgate.spi.names import Names

MAX_NAME = 127
NAMES = Names(
    plain=string.ascii_lowercase + string.digits + "-", escape="-x", separator="--", fold=True, max_length=MAX_NAME
)
