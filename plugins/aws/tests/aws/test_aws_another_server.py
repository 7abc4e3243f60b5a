"""Another server where AWS should be, such as a proxy with its login page: nothing that it answers is a change done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.servers.aws_answers import Answer, answering, refused
from tests.servers.aws_harness import opened
from wardgate.spi.backend import Backend
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Value
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER

pytestmark = pytest.mark.usefixtures("some_credentials")
SECRET = Path.parse("team/database")
VALUE = Value(b"value")
FIRST, SECOND = "1" * 32, "2" * 32
PAGES = [b"<html>Sign in</html>", b"", b"{}", b"[]", b"null", b'{"message": "hello"}']
TAGS = [{"Key": "old", "Value": "x"}]
FOUND: dict[str, dict[str, Any]] = {
    "DescribeSecret": {"Name": "x", "VersionIdsToStages": {FIRST: ["AWSCURRENT", "blue"], SECOND: []}, "Tags": TAGS},
    "ListSecretVersionIds": {"Versions": [{"VersionId": FIRST}, {"VersionId": SECOND}]},
    "GetParameterHistory": {"Parameters": [{"Version": 1, "Labels": ["blue"]}, {"Version": 2}]},
    "ListTagsForResource": {"TagList": TAGS},
}
"""What is found before a change: the page comes in the place of the change alone."""
Ask = Callable[[Backend], Awaitable[object]]

CHANGES: list[tuple[BackendType, str, Ask]] = [
    (SECRETS_MANAGER, "PutSecretValue", lambda backend: backend.write(SECRET, VALUE)),
    (SECRETS_MANAGER, "PutSecretValue", lambda backend: backend.write(SECRET, VALUE, expect=Expect(FIRST))),
    (SECRETS_MANAGER, "CreateSecret", lambda backend: backend.write(SECRET, VALUE, expect=Expect(None))),
    (SECRETS_MANAGER, "TagResource", lambda backend: backend.annotate(SECRET, labels={"new": "y"}, merge=True)),
    (SECRETS_MANAGER, "UntagResource", lambda backend: backend.annotate(SECRET, labels={"old": None}, merge=True)),
    (SECRETS_MANAGER, "UntagResource", lambda backend: backend.annotate(SECRET, labels={})),
    (SECRETS_MANAGER, "DeleteSecret", lambda backend: backend.delete(SECRET)),
    (SECRETS_MANAGER, "RestoreSecret", lambda backend: backend.undelete(SECRET, versions=[FIRST])),
    (SECRETS_MANAGER, "DeleteSecret", lambda backend: backend.destroy(SECRET)),
    (SECRETS_MANAGER, "UpdateSecretVersionStage", lambda backend: backend.move_stage(SECRET, "blue", version=SECOND)),
    (SECRETS_MANAGER, "UpdateSecretVersionStage", lambda backend: backend.move_stage(SECRET, "blue", version=None)),
    (PARAMETER_STORE, "PutParameter", lambda backend: backend.write(SECRET, VALUE)),
    (PARAMETER_STORE, "AddTagsToResource", lambda backend: backend.annotate(SECRET, labels={"new": "y"}, merge=True)),
    (PARAMETER_STORE, "RemoveTagsFromResource", lambda backend: backend.annotate(SECRET, labels={})),
    (PARAMETER_STORE, "DeleteParameter", lambda backend: backend.delete(SECRET)),
    (PARAMETER_STORE, "LabelParameterVersion", lambda backend: backend.move_stage(SECRET, "blue", version="2")),
    (PARAMETER_STORE, "UnlabelParameterVersion", lambda backend: backend.move_stage(SECRET, "blue", version=None)),
]


def used(kind: BackendType, url: str, ask: Ask) -> None:
    """Ask a backend of its own, and close that."""

    async def asked() -> None:
        backend = opened(kind, url, timeout=2.0)
        try:
            await ask(backend)
        finally:
            await backend.close()

    asyncio.run(asked())


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("kind", "change", "ask"), CHANGES)
def test_a_page_is_no_change_that_was_made(kind: BackendType, change: str, ask: Ask, page: bytes) -> None:
    """Status 200 says nothing where it is not AWS that says it: whether it was passed on, nobody knows."""
    deleted = {"DeletedDate": 1} if change == "RestoreSecret" else {}

    def answer(action: str, _asked: dict[str, Any]) -> Answer:
        return Answer(body=FOUND[action] | deleted) if action in FOUND else Answer(body=page)

    with answering(answer) as endpoint:
        with pytest.raises(OutcomeUnknown):
            used(kind, endpoint.url, ask)
        assert change in endpoint.asked


@pytest.mark.parametrize("kind", [SECRETS_MANAGER, PARAMETER_STORE], ids=lambda kind: kind.name)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_right(kind: BackendType, page: bytes) -> None:
    """The first question is answered as AWS does; a page after it grants nothing."""

    def answer(action: str, _asked: dict[str, Any]) -> Answer:
        first = action in {"GetSecretValue", "GetParameter"}
        return refused("ResourceNotFoundException") if first else Answer(body=page)

    with answering(answer) as endpoint, pytest.raises(Unavailable):
        used(kind, endpoint.url, lambda backend: backend.probe())
