"""Moto's server with one secret to read and 10,000 to list. ``python -m bench.filled_moto -H HOST -p PORT``.

Moto makes its whole list anew for each page: 10,000 names would take it minutes. Here what a page is cut from is made
once.
"""

from __future__ import annotations

import json
import os
from typing import Any

from bench.names import NAMES, READ, TEXT

REGION = "eu-central-1"
ACCOUNT = "123456789012"


def _fill() -> None:
    from moto.backends import get_backend  # noqa: PLC0415  # seconds to import, and only for this process

    from tests.servers import moto_corrected  # noqa: PLC0415

    moto_corrected.correct()
    manager = get_backend("secretsmanager")[ACCOUNT][REGION]
    parameters: Any = get_backend("ssm")[ACCOUNT][REGION]
    manager.create_secret(READ, TEXT, None, None, None, None, None, [], force_overwrite=False)
    parameters.put_parameter(
        f"/{READ}", "", TEXT, "SecureString", "", "alias/aws/ssm", overwrite=False, tags=[], data_type="text",
        tier="Standard", policies=None,
    )  # fmt: skip
    secret = manager.secrets[READ].to_dict()
    parameter = parameters.get_parameter(f"/{READ}").describe_response_object(decrypt=False)
    _answer_from(
        [secret | {"Name": name, "ARN": secret["ARN"].replace(READ, name)} for name in NAMES],
        [parameter | {"Name": f"/{name}", "LastModifiedDate": 1_700_000_000.0} for name in NAMES],
    )


def _answer_from(listed: list[Any], described: list[Any]) -> None:
    from moto.secretsmanager import models  # noqa: PLC0415
    from moto.ssm import responses  # noqa: PLC0415

    def list_secrets(
        self: Any, max_results: int | None = None, next_token: str | None = None, **_: Any
    ) -> tuple[list[Any], str | None]:
        page: tuple[list[Any], str | None] = self._get_secret_values_page_and_next_token(
            listed, max_results, next_token
        )
        return page

    def describe_parameters(self: Any) -> str:
        start, size = int(self._get_param("NextToken") or 0), int(self._get_param("MaxResults") or 10)
        end = start + size
        answer = {"Parameters": described[start:end]}
        return json.dumps(answer | ({"NextToken": str(end)} if end < len(described) else {}))

    manager: Any = models.SecretsManagerBackend
    parameters: Any = responses.SimpleSystemManagerResponse
    manager.list_secrets, parameters.describe_parameters = list_secrets, describe_parameters


if __name__ == "__main__":
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
    _fill()
    from moto.server import main

    main()
