"""Which rights a mount's credential has, asked of a secret that cannot exist: a table for each store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from wardgate.spi import probing
from wardgate.spi.backend import Health, Permission

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


async def permissions(client: Client, questions: Sequence[Question], name: str) -> Sequence[Permission]:
    """Every right with whether it is granted for the secret or parameter ``name``, which must not exist.

    Raises Unauthenticated, RateLimited and Unavailable.
    """
    return await probing.permissions(
        (question.action, question.needed_for, partial(_ask, client, question, name) if question.method else None)
        for question in questions
    )


async def health(client: Client, questions: Sequence[Question], name: str) -> Health:
    """Whether the store answers the first question, and accepts the credential."""
    return await probing.health(partial(_ask, client, questions[0], name))


async def _ask(client: Client, question: Question, name: str) -> None:
    params: dict[str, Any] = {key: name if value is NAME else value for key, value in question.params.items()}
    await client.call(str(question.method), **params)
