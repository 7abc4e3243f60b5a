"""What this distribution offers: the two stores of AWS that keep secrets."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from wardgate.spi.hookspecs import BackendType, hookimpl


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """Secrets Manager and Parameter Store."""
    modules = ("wardgate_aws.backend", "wardgate_aws.parameter_store")
    return [import_module(module).BACKEND for module in modules if find_spec(module)]
