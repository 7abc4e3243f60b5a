"""Every endpoint of ``/api/v1``, gathered from the files of its nouns."""

from __future__ import annotations

from wardgate_native.api import approle, batch, mounts, namespaces, policies, secrets, system, tokens
from wardgate_native.api.routing import Table

TABLE = Table((
    *secrets.ROUTES,
    *batch.ROUTES,
    *tokens.ROUTES,
    *approle.ROUTES,
    *mounts.ROUTES,
    *namespaces.ROUTES,
    *policies.ROUTES,
    *system.ROUTES,
))  # fmt: skip
