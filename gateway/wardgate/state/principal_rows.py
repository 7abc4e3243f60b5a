"""The rows of principals, which hold, as what others ask for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wardgate.spi.identity import Principal
from wardgate.spi.operations.methods import APPROLE
from wardgate.spi.operations.tokens import TokenInfo


def _login(row: Mapping[str, Any]) -> str:
    """The name of the login method that brought a token, or empty."""
    return str(row["login_method_name"] or (APPROLE if row["role"] else ""))


def _attributes(row: Mapping[str, Any]) -> Mapping[str, str]:
    """What conditions read of it: its giver's, or where it logged in."""
    if row["attributes"]:
        given: dict[str, str] = json.loads(row["attributes"])
        return given
    proved = {"role": row["name"] if row["role"] else "", "login": _login(row)}
    return {name: text for name, text in proved.items() if text}


def principal_of(row: Mapping[str, Any]) -> Principal:
    """Who shows the token of a row."""
    return Principal(
        id=row["id"],
        namespace=row["namespace"],
        name=row["name"],
        method=row["method"] or row["kind"],
        policies=tuple(json.loads(row["policies"])),
        accessor=row["accessor"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        counted=row["uses_left"] is not None,
        attributes=_attributes(row),
        issued=True,
        networks=tuple(json.loads(row["networks"])) if row["networks"] else (),
    )


def info_of(row: Mapping[str, Any], now: int) -> TokenInfo:
    """What is known of the token of a row at that time, in Unix nanoseconds."""
    expires_at = row["expires_at"]
    return TokenInfo(
        principal=principal_of(row),
        ttl=0 if expires_at is None else max(0, expires_at - now),
        creation_ttl=row["ttl"] or 0,
        max_ttl=row["max_ttl"] or 0,
        renewable=bool(row["renewable"]),
        uses_left=row["uses_left"] or 0,
        explicit_max_ttl=row["explicit_max_ttl"] or 0,
        period=row["period"] or 0,
        kind=row["kind"],
        orphan=row["parent"] is None,
        meta=json.loads(row["meta"]) if row["meta"] else {},
        renewed_at=row["renewed_at"],
        login=_login(row),
    )
