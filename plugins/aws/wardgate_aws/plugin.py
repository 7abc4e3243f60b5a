"""What this distribution offers: the two stores of AWS that keep secrets."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.services import Services

from wardgate_aws import declaration
from wardgate_aws.options import (
    ParameterStoreOptions,
    SecretsManagerOptions,
    check_parameter_store,
    check_secrets_manager,
)
from wardgate_aws.parameter_store import ParameterStoreBackend
from wardgate_aws.secrets_manager import SecretsManagerBackend


def open_secrets_manager(options: SecretsManagerOptions, services: Services) -> SecretsManagerBackend:
    """Open the secrets of a region. Raises InvalidValue for options that cannot work."""
    check_secrets_manager(options)
    return SecretsManagerBackend(options, services.clock)


def open_parameter_store(options: ParameterStoreOptions, services: Services) -> ParameterStoreBackend:
    """Open the parameters of a region. Raises InvalidValue for options that cannot work."""
    check_parameter_store(options)
    return ParameterStoreBackend(options, services.clock)


SECRETS_MANAGER = BackendType(
    name="aws-secrets-manager",
    help="AWS Secrets Manager in one account and region",
    open=open_secrets_manager,
    options=SecretsManagerOptions,
    status="beta",  # run against emulators only
    declarations=(declaration.SECRETS_MANAGER,),
)
PARAMETER_STORE = BackendType(
    name="aws-parameter-store",
    help="AWS Systems Manager Parameter Store: encrypted parameters with numbered versions",
    open=open_parameter_store,
    options=ParameterStoreOptions,
    status="beta",  # run against emulators only
    declarations=(declaration.STANDARD_PARAMETERS, declaration.ADVANCED_PARAMETERS),
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """Secrets Manager and Parameter Store."""
    return [SECRETS_MANAGER, PARAMETER_STORE]
