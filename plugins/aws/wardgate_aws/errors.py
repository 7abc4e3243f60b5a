"""The one table from what AWS answers to the closed list; no word of the store's passes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus

import botocore.exceptions  # type: ignore[import-untyped]
from wardgate.spi.connecting import hindrance
from wardgate.spi.errors import (
    ABSENT,
    NO_VERSION,
    AlreadyExists,
    Conflict,
    Gone,
    InvalidValue,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    VersionNotFound,
    WardgateError,
    unclear,
)

REFUSED_CREDENTIAL = "the store does not accept the gateway's own credential"
NOT_ALLOWED = "the store does not allow the gateway's own credential to do this"
SLOW_DOWN = "the store asks for fewer requests; try again later"
KEY = "the store cannot use the key that this secret is encrypted under; look at the KMS key and its policy"
NO_PROFILE = "the AWS configuration files that the gateway reads have no such profile; check 'profile'"
NO_CREDENTIAL = (
    "the gateway found no usable credential for the store, in the environment, the AWS configuration files or the"
    " machine's role; give it one, or set 'profile'"
)
BROKEN = "the connection to the store broke"
Row = tuple[Callable[[str], WardgateError], str]

BY_WORDS: Mapping[tuple[str, str], Row] = {
    ("ResourceNotFoundException", "secret value for"): (VersionNotFound, NO_VERSION),
    ("InvalidRequestException", "marked for deletion"): (Gone, "the secret is deleted; undelete it first"),
    ("InvalidRequestException", "marked deleted"): (Gone, "the secret is deleted; undelete it first"),
    ("InvalidRequestException", "scheduled for deletion"): (Gone, "the secret is deleted; undelete it first"),
}
"""Where one code means two things: the code and words of the message that tell them apart."""

BY_CODE: Mapping[str, Row] = {
    # Secrets Manager
    "ResourceNotFoundException": (SecretNotFound, ABSENT),
    "ResourceExistsException": (AlreadyExists, "a secret of that path is there already"),
    "InvalidRequestException": (InvalidValue, "the store refused the request in the state the secret is in"),
    "InvalidParameterException": (InvalidValue, "the store refused a parameter"),
    "MalformedPolicyDocumentException": (InvalidValue, "the store refused a policy"),
    "PreconditionNotMetException": (Conflict, "the secret was changed at the same time"),
    "LimitExceededException": (TooLarge, "a limit of the store is reached"),
    "DecryptionFailure": (Unavailable.of_one, KEY),
    "EncryptionFailure": (Unavailable.of_one, KEY),
    # Parameter Store
    "ParameterNotFound": (SecretNotFound, ABSENT),
    "ParameterVersionNotFound": (VersionNotFound, NO_VERSION),
    "ParameterAlreadyExists": (AlreadyExists, "a parameter of that path is there already"),
    "ParameterLimitExceeded": (TooLarge, "the store holds as many parameters as the account may have"),
    "ParameterMaxVersionLimitExceeded": (
        Conflict,
        "the oldest version carries a stage and cannot be dropped; take the stage away first",
    ),
    "ParameterVersionLabelLimitExceeded": (TooLarge, "a version carries ten stages at most"),
    "HierarchyLevelLimitExceededException": (TooLarge, "the path has more levels than the store holds"),
    "HierarchyTypeMismatchException": (InvalidValue, "the parameter is of another type"),
    "ParameterPatternMismatchException": (InvalidValue, "the store refused the name"),
    "InvalidKeyId": (Unavailable.of_one, KEY),
    "InvalidResourceId": (SecretNotFound, ABSENT),
    "TooManyTagsError": (TooLarge, "the store keeps 50 labels at most"),
    "TooManyUpdates": (Conflict, "the secret was changed at the same time"),
    "UnsupportedParameterType": (Unsupported, "the parameter's type cannot be read"),
    # Both
    "ValidationException": (InvalidValue, "the store refused the request as invalid"),
    "SerializationException": (InvalidValue, "the store refused the request as invalid"),
    "AccessDenied": (PermissionDenied, NOT_ALLOWED),
    "AccessDeniedException": (PermissionDenied, NOT_ALLOWED),
    "NotAuthorized": (PermissionDenied, NOT_ALLOWED),
    "OptInRequired": (PermissionDenied, NOT_ALLOWED),
    "ExpiredToken": (Unauthenticated, REFUSED_CREDENTIAL),
    "ExpiredTokenException": (Unauthenticated, REFUSED_CREDENTIAL),
    "IncompleteSignature": (Unauthenticated, REFUSED_CREDENTIAL),
    "InvalidClientTokenId": (Unauthenticated, REFUSED_CREDENTIAL),
    "InvalidSignatureException": (Unauthenticated, REFUSED_CREDENTIAL),
    "MissingAuthenticationToken": (Unauthenticated, REFUSED_CREDENTIAL),
    "MissingAuthenticationTokenException": (Unauthenticated, REFUSED_CREDENTIAL),
    "RequestExpired": (Unauthenticated, REFUSED_CREDENTIAL),
    "SignatureDoesNotMatch": (Unauthenticated, REFUSED_CREDENTIAL),
    "UnrecognizedClientException": (Unauthenticated, REFUSED_CREDENTIAL),
    "RequestLimitExceeded": (RateLimited, SLOW_DOWN),
    "RequestThrottled": (RateLimited, SLOW_DOWN),
    "RequestThrottledException": (RateLimited, SLOW_DOWN),
    "Throttling": (RateLimited, SLOW_DOWN),
    "ThrottlingException": (RateLimited, SLOW_DOWN),
    "ThrottledException": (RateLimited, SLOW_DOWN),
    "TooManyRequestsException": (RateLimited, SLOW_DOWN),
    "UnknownOperationException": (Unsupported, "the endpoint does not know this request; check 'endpoint'"),
}
"""Codes that say for certain that nothing was changed. Others, and every status of 500 and over, say nothing."""

UNUSABLE: tuple[type[Exception], ...] = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.MetadataRetrievalError,
    botocore.exceptions.ProfileNotFound,
    botocore.exceptions.ConfigParseError,
    botocore.exceptions.ConfigNotFound,
    botocore.exceptions.SSOError,
)
NEVER_SENT: tuple[type[Exception], ...] = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
)


def of_answer(code: str, words: str, status: int, *, mutates: bool, retry_after: float | None = None) -> WardgateError:
    """The error an answer stands for. ``words``: the store's own, looked at and left here."""
    row = BY_CODE.get(code)
    for (of_code, part), special in BY_WORDS.items():
        if code == of_code and part in words:
            row = special
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        row = (RateLimited, SLOW_DOWN)
    if row is None and status == HTTPStatus.FORBIDDEN:
        row = (PermissionDenied, NOT_ALLOWED)
    if row is None:
        return unclear(f"the store answered with status {status}", mutates=mutates)
    kind, message = row
    return RateLimited(message, retry_after=retry_after) if kind is RateLimited else kind(message)


def of_exception(problem: Exception, *, mutates: bool) -> WardgateError:
    """The error of an exchange that brought no answer: was the request ever sent?"""
    if isinstance(problem, UNUSABLE):
        return Unauthenticated(
            NO_PROFILE if isinstance(problem, botocore.exceptions.ProfileNotFound) else NO_CREDENTIAL
        )
    if isinstance(problem, botocore.exceptions.ParamValidationError):
        return InvalidValue("the store's own rules for this request refuse it")
    obstacle = hindrance(problem)
    if obstacle is not None:
        return obstacle.told(address="'region' and 'endpoint'")
    if isinstance(problem, NEVER_SENT):
        return Unavailable("the store cannot be reached; check 'region', 'endpoint' and the way there")
    if isinstance(problem, (botocore.exceptions.ReadTimeoutError, TimeoutError)):
        return unclear("the store did not answer in time", mutates=mutates)
    return unclear(BROKEN, mutates=mutates)


def is_unclear(status: int | None, problem: Exception | None) -> bool:
    """Whether one attempt, answered with ``status`` or ended by ``problem``, leaves open what the store did."""
    if problem is None:
        return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not isinstance(problem, (*UNUSABLE, *NEVER_SENT)) and hindrance(problem) is None
