"""How a call is repeated: in the SDK's standard way, but not one that is throttled."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from azure.core.pipeline.policies import AsyncRetryPolicy


class Retries(AsyncRetryPolicy[Any, Any]):
    """The SDK repeats a throttled call at once where the vault says no time, which Microsoft's guidance forbids.

    Where it says one the SDK waits, and its caller knows nothing; a caller of the gateway is told, and waits himself.
    """

    def is_retry(self, settings: dict[str, Any], response: Any) -> bool:
        """Whether to send the request again after this answer."""
        throttled = response.http_response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        return not throttled and super().is_retry(settings, response)
