"""Which rights a mount's credential has, asked of a secret that cannot exist: a table for each store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wardgate.spi.backend import Health, Permission
from wardgate.spi.errors import PermissionDenied, RateLimited, SecretNotFound, Unavailable, WardgateError

from wardgate_aws.shapes import NONSENSE

if TYPE_CHECKING:
    from wardgate_aws.client import Client

NAME: Final = object()
"""Stands in a question for the name that is asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """One right: its IAM action, the capabilities that need it, the SDK's request that shows whether it is there.

    Without a ``method`` it cannot be asked for without a change.
    """

    action: str
    needed_for: frozenset[str]
    method: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def _question(action: str, needed_for: str, method: str | None = None, **params: Any) -> Question:
    return Question(action, frozenset(needed_for.split()), method, params)


_SECRET: Final[Mapping[str, Any]] = {"SecretId": NAME}
_TAGGED: Final[Mapping[str, Any]] = {"ResourceType": "Parameter", "ResourceId": NAME}
_LABELLED: Final[Mapping[str, Any]] = {"Name": NAME, "ParameterVersion": 1, "Labels": ["wardgate-probe"]}
_KEY = "wardgate-probe"
_TAG: Final = [{"Key": _KEY, "Value": ""}]

SECRETS_MANAGER: Sequence[Question] = (
    _question("secretsmanager:GetSecretValue", "read", "get_secret_value", **_SECRET),
    _question(
        "secretsmanager:DescribeSecret", "describe labels compare_and_set stages undelete", "describe_secret", **_SECRET
    ),
    _question("secretsmanager:ListSecretVersionIds", "describe stages", "list_secret_version_ids", **_SECRET),
    _question(
        "secretsmanager:PutSecretValue", "write compare_and_set", "put_secret_value", SecretString="probe", **_SECRET
    ),
    _question(
        "secretsmanager:UpdateSecretVersionStage", "compare_and_set stages move_current", "update_secret_version_stage",
        VersionStage="wardgate-probe", **_SECRET,
    ),
    _question("secretsmanager:TagResource", "labels", "tag_resource", Tags=_TAG, **_SECRET),
    _question("secretsmanager:UntagResource", "labels", "untag_resource", TagKeys=[_KEY], **_SECRET),
    _question("secretsmanager:DeleteSecret", "delete destroy", "delete_secret", RecoveryWindowInDays=30, **_SECRET),
    _question("secretsmanager:RestoreSecret", "undelete", "restore_secret", **_SECRET),
    _question("secretsmanager:ListSecrets", "list", "list_secrets", MaxResults=1),
    _question("secretsmanager:CreateSecret", "write compare_and_set labels"),
)  # fmt: skip
PARAMETER_STORE: Sequence[Question] = (
    _question("ssm:GetParameter", "read write", "get_parameter", Name=NAME, WithDecryption=False),
    _question("ssm:GetParameterHistory", "describe stages", "get_parameter_history", Name=NAME),
    _question("ssm:ListTagsForResource", "describe labels", "list_tags_for_resource", **_TAGGED),
    _question("ssm:DescribeParameters", "list", "describe_parameters", MaxResults=1),
    _question("ssm:DeleteParameter", "delete", "delete_parameter", Name=NAME),
    _question("ssm:LabelParameterVersion", "stages", "label_parameter_version", **_LABELLED),
    _question("ssm:UnlabelParameterVersion", "stages", "unlabel_parameter_version", **_LABELLED),
    _question("ssm:AddTagsToResource", "labels", "add_tags_to_resource", Tags=_TAG, **_TAGGED),
    _question("ssm:RemoveTagsFromResource", "labels", "remove_tags_from_resource", TagKeys=[_KEY], **_TAGGED),
    _question("ssm:PutParameter", "write"),
    _question("kms:Decrypt", "read"),
)
ENCRYPTING: Mapping[str, Question] = {
    # The tiers encrypt in different ways.
    "Standard": _question("kms:Encrypt", "write"),
    "Advanced": _question("kms:GenerateDataKey", "write"),
}


async def probe(client: Client, questions: Sequence[Question], name: str) -> Sequence[Permission]:
    """Ask for each right in turn, of the secret or parameter ``name``, which must not exist.

    Raises:
        Unavailable: the store cannot be reached, or asks for patience.
        PermissionDenied: it does not accept the credential at all.
    """
    return [
        Permission(
            question.action,
            question.needed_for,
            granted=await _granted(client, question, name, first=question is questions[0]),
        )
        for question in questions
    ]


async def health(client: Client, questions: Sequence[Question], name: str) -> Health:
    """Whether the store answers the first question, if only that this may not be asked about ``name``."""
    from wardgate_aws.errors import NOT_ALLOWED  # noqa: PLC0415  # it needs the SDK

    question = questions[0]
    try:
        await client.call(str(question.method), **_asked(question, name))
    except SecretNotFound:
        pass
    except WardgateError as error:
        if error.message != NOT_ALLOWED:
            return Health(ok=False, detail=error.message)
    else:
        return Health(ok=False, detail=NONSENSE)
    return Health(ok=True, detail="the store answers")


async def _granted(client: Client, question: Question, name: str, *, first: bool) -> bool | None:
    from wardgate_aws.errors import NOT_ALLOWED  # noqa: PLC0415  # it needs the SDK

    if question.method is None:
        return None
    try:
        await client.call(question.method, **_asked(question, name))
    except PermissionDenied as denied:
        if denied.message != NOT_ALLOWED:
            raise
        return False
    except RateLimited as limited:
        patience = limited.message
    except Unavailable:
        if first:
            raise  # nothing is answered at all
        return None
    except WardgateError:
        return True  # it looked for the secret
    else:
        return True
    raise Unavailable(patience)


def _asked(question: Question, name: str) -> Mapping[str, Any]:
    return {key: name if value is NAME else value for key, value in question.params.items()}
