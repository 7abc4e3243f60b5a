"""Which name stands for which path."""

from __future__ import annotations

import string

from wardgate.spi.names import Names

MAX_NAME = 255
NAMES = Names(plain=string.ascii_letters + string.digits + "_-", escape="_x", separator="--", max_length=MAX_NAME)
