"""Times that a store does not keep, as Vault's clients see them."""

from __future__ import annotations

import json

from wardgate.spi.values import SecretInfo, SecretVersion, Value, VersionInfo, VersionState
from wardgate_vault.api import kv_shapes

UNSET = "0001-01-01T00:00:00Z"
INFO = VersionInfo("x", 1)


def test_a_time_that_no_store_keeps_is_go_s_zero_time() -> None:
    """As Vault shows a time that was never set; not the year 1970."""
    read = json.loads(kv_shapes.version(SecretVersion(INFO, Value(b"{}"))))["metadata"]
    known = json.loads(json.dumps(kv_shapes.secret(SecretInfo(INFO, (INFO,), 0, 0))))
    assert [UNSET] * 4 == [
        read["created_time"], known["created_time"], known["updated_time"], known["versions"]["1"]["created_time"],
    ]  # fmt: skip


def test_what_is_deleted_is_never_so_since_the_zero_time() -> None:
    """To Go's clients that would be a live version."""
    assert UNSET != kv_shapes.info(VersionInfo("x", 1, 0, VersionState.DISABLED))["deletion_time"]
