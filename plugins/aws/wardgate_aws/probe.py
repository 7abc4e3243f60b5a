"""Which rights a mount's credential has, asked with the name of a secret that cannot exist."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wardgate.spi.backend import Permission
from wardgate.spi.errors import PermissionDenied, RateLimited, Unavailable, WardgateError

if TYPE_CHECKING:
    from wardgate_aws.client import Client

QUESTIONS: Sequence[tuple[str, str, tuple[str, ...], Mapping[str, Any]]] = (
    ("GetSecretValue", "get_secret_value", ("read",), {}),
    ("DescribeSecret", "describe_secret", ("describe", "labels", "compare_and_set", "stages", "undelete"), {}),
    ("ListSecretVersionIds", "list_secret_version_ids", ("describe", "stages"), {}),
    ("PutSecretValue", "put_secret_value", ("write", "compare_and_set"), {"SecretString": "probe"}),
    (
        "UpdateSecretVersionStage",
        "update_secret_version_stage",
        ("compare_and_set", "stages", "move_current"),
        {"VersionStage": "wardgate-probe"},
    ),
    ("TagResource", "tag_resource", ("labels",), {"Tags": [{"Key": "wardgate-probe", "Value": ""}]}),
    ("UntagResource", "untag_resource", ("labels",), {"TagKeys": ["wardgate-probe"]}),
    ("DeleteSecret", "delete_secret", ("delete", "destroy"), {"RecoveryWindowInDays": 30}),
    ("RestoreSecret", "restore_secret", ("undelete",), {}),
)
"""IAM action, the SDK's name of the request, what needs it, further parameters."""


async def probe(client: Client) -> Sequence[Permission]:
    """Ask for each right in turn; a right to make secrets is not to be asked for without making one.

    Raises:
        Unavailable: the store cannot be reached, or asks for patience.
        PermissionDenied: it does not accept the credential at all.
    """
    name = f"wardgate-probe-{uuid.uuid4()}"
    found = [
        _permission(action, needed_for, granted=await _granted(client, method, SecretId=name, **params))
        for action, method, needed_for, params in QUESTIONS
    ]
    listing = await _granted(client, "list_secrets", MaxResults=1)
    found.append(_permission("ListSecrets", ("list",), granted=listing))
    found.append(_permission("CreateSecret", ("write", "compare_and_set", "labels"), granted=None))
    return found


async def _granted(client: Client, method: str, **params: Any) -> bool | None:
    from wardgate_aws.errors import NOT_ALLOWED  # noqa: PLC0415  # it needs the SDK

    try:
        await client.call(method, **params)
    except PermissionDenied as denied:
        if denied.message != NOT_ALLOWED:
            raise
        return False
    except RateLimited as limited:
        patience = limited.message
    except Unavailable:
        if method == QUESTIONS[0][1]:
            raise  # nothing is answered at all
        return None
    except WardgateError:
        return True  # it looked for the secret
    else:
        return True
    raise Unavailable(patience)


def _permission(action: str, needed_for: tuple[str, ...], *, granted: bool | None) -> Permission:
    return Permission(f"secretsmanager:{action}", frozenset(needed_for), granted)
