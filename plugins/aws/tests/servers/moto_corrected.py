"""Moto's server, corrected where it does otherwise than AWS: the table in the plugin's README, with its sources.

Run as ``python moto_corrected.py -H HOST -p PORT``, like ``moto.server``.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from typing import Any

from moto.core.responses import ActionResult
from moto.secretsmanager import models as secrets
from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    SecretHasNoValueException,
)
from moto.server import main
from moto.ssm import models as parameters
from moto.ssm.exceptions import ParameterNotFound, ValidationException
from moto.ssm.responses import SimpleSystemManagerResponse

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"
DELETED = "You can't perform this operation on the secret because it was marked for deletion."
TAKEN = "You can't create this secret because a secret with this name is already scheduled for deletion."
SECRET_BYTES = 65_536
SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
PARAMETER_BYTES = {None: 4_096, "Standard": 4_096, "Advanced": 8_192}
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_.\-/]+")
PARAMETER_NAME_LENGTH = 1_011
"""Of the whole ARN."""
LEVELS = 15


class Secrets(secrets.SecretsManagerBackend):
    """Secrets Manager."""

    __module__ = secrets.__name__
    """Where moto looks for the paths it serves."""

    def get_secret_value(self, secret_id: str, version_id: str, version_stage: str) -> dict[str, Any]:
        """Without a version or a stage it is the current one, not the one that was written last."""
        secret = self.secrets.get(secret_id)
        if version_id or secret is None or secret.is_deleted():
            return super().get_secret_value(secret_id, version_id, version_stage)
        stage = version_stage or CURRENT
        if not any(stage in version["version_stages"] for version in secret.versions.values()):
            raise SecretHasNoValueException(stage)
        return super().get_secret_value(secret_id, version_id, stage)

    def create_secret(self, name: str, *args: Any, **named: Any) -> str:
        """The name of a secret that is deleted is taken, and told in words of its own; names have an alphabet."""
        if not SECRET_NAME.fullmatch(name):
            raise InvalidParameterException("Invalid name. Must be a valid name containing alphanumeric characters.")
        self._live(name, TAKEN)
        return super().create_secret(name, *args, **named)

    def put_secret_value(self, secret_id: str, *args: Any, **named: Any) -> str:
        """A deleted secret is not written over."""
        self._live(secret_id)
        return super().put_secret_value(secret_id, *args, **named)

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        """A deleted secret is not changed."""
        self._live(arn)
        super().tag_resource(arn, tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        """A deleted secret is not changed."""
        self._live(arn)
        super().untag_resource(arn, tag_keys)

    def list_secret_version_ids(self, secret_id: str) -> str:
        """A version's time is that of its making; a secret that is not there is said to be missing."""
        secret = self.describe_secret(secret_id)
        told = json.loads(super().list_secret_version_ids(secret_id))
        for version in told["Versions"]:
            version["CreatedDate"] = secret.versions[version["VersionId"]]["createdate"]
        del told["NextToken"]
        return json.dumps(told)

    def update_secret_version_stage(
        self, secret_id: str, version_stage: str, remove_from_version_id: str, move_to_version_id: str
    ) -> tuple[str, str]:
        """A label that is on a version moves only for those who say from which."""
        self._live(secret_id)
        secret = self.describe_secret(secret_id)
        versions, holders = secret.versions, _holders(secret, version_stage)
        if holders and move_to_version_id not in holders and remove_from_version_id not in holders:
            raise InvalidParameterException(f"Staging label {version_stage} is currently attached to another version.")
        if not holders and not remove_from_version_id and version_stage == CURRENT:
            versions[move_to_version_id]["version_stages"].append(CURRENT)
            return secret_id, secret_id
        return super().update_secret_version_stage(secret_id, version_stage, remove_from_version_id, move_to_version_id)

    def _add_secret(
        self,
        secret_id: str,
        secret_string: str | None = None,
        secret_binary: str | None = None,
        *args: Any,
        **named: Any,
    ) -> Any:
        """Values have an upper limit; a new version takes two labels from where they are, and no others from any."""
        value = b64decode(secret_binary) if secret_binary else (secret_string or "").encode()
        if len(value) > SECRET_BYTES:
            raise InvalidParameterException("The secret value is longer than 65536 bytes.")
        secret: Any = self.secrets.get(secret_id)
        if secret is None:
            return super()._add_secret(secret_id, secret_string, secret_binary, *args, **named)
        secret.default_version_id = next(iter(_holders(secret, CURRENT)), None)
        own = {one: {*version["version_stages"]} - {CURRENT, PREVIOUS} for one, version in secret.versions.items()}
        added = super()._add_secret(secret_id, secret_string, secret_binary, *args, **named)
        given = {*(named.get("version_stages") or ())}
        for one, labels in own.items():
            stages = secret.versions[one]["version_stages"]
            stages += labels - given - {*stages}
        return added

    def _live(self, name: str, words: str = DELETED) -> None:
        secret = self.secrets.get(name)
        if secret is not None and secret.is_deleted():
            raise InvalidRequestException(words)


def _holders(secret: Any, label: str) -> list[str]:
    return [one for one, version in secret.versions.items() if label in version["version_stages"]]


class Parameters(parameters.SimpleSystemManagerBackend):
    """Parameter Store."""

    __module__ = parameters.__name__
    _putting = threading.Lock()

    def put_parameter(self, name: str, description: str, value: str, *args: Any, **named: Any) -> parameters.Parameter:
        """Values and names have limits, and a value holds no reference to another parameter."""
        tier = named["tier"]
        if value and len(value.encode()) > PARAMETER_BYTES[tier]:
            raise ValidationException(f"{tier or 'Standard'} tier parameters support a maximum parameter value size.")
        if value and re.search(r"\{\{.*\}\}", value, re.DOTALL):
            raise ValidationException('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
        arn = f"arn:aws:ssm:{self.region_name}:{self.account_id}:parameter/{name.lstrip('/')}"
        if not PARAMETER_NAME.fullmatch(name) or len(arn) > PARAMETER_NAME_LENGTH:
            raise ValidationException("Parameter name must be a fully qualified name of letters, numbers and .-_")
        if name.count("/") > LEVELS:
            raise ValidationException("Parameter hierarchies are limited to a maximum depth of fifteen levels.")
        with self._putting:  # or two that are put at once get one number
            return super().put_parameter(name, description, value, *args, **named)

    def label_parameter_version(self, name: str, version: int, labels: list[str]) -> tuple[list[str], int]:
        """What is asked for in vain does not come to be there."""
        self._is_there(name)
        return super().label_parameter_version(name, version, labels)

    def unlabel_parameter_version(self, name: str, version: int, labels: list[str]) -> tuple[list[str], list[str]]:
        """What is asked for in vain does not come to be there."""
        self._is_there(name)
        return super().unlabel_parameter_version(name, version, labels)

    def _is_there(self, name: str) -> None:
        if name not in self._parameters:
            raise ParameterNotFound(f"Parameter {name} not found.")


def describe_parameters(self: SimpleSystemManagerResponse) -> ActionResult:
    """Pages have the size that was asked for, which is 50 at most."""
    start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 50)
    found = self.ssm_backend.describe_parameters(self._get_param("Filters"), self._get_param("ParameterFilters"))
    answer: dict[str, Any] = {"Parameters": [one.describe_response_object() for one in found[start : start + size]]}
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return ActionResult(answer)


def correct() -> None:
    """Put the corrected stores in the place of moto's."""
    secrets.secretsmanager_backends.backend = Secrets
    parameters.ssm_backends.backend = Parameters
    SimpleSystemManagerResponse.describe_parameters = describe_parameters  # type: ignore[method-assign]


if __name__ == "__main__":
    correct()
    main()
