"""What the stores are asked about the gateway's own credential, and where that comes from."""

from __future__ import annotations

import os
from pathlib import Path as FilePath

import pytest
from tests.aws.test_aws_failures import SECRET, STORES, refusal, run
from tests.servers.aws_answers import Answer, answering, refused
from wardgate.spi.backend import Backend
from wardgate.spi.errors import RateLimited, SecretNotFound, Unauthenticated, Unavailable, WardgateError
from wardgate.spi.hookspecs import BackendType
from wardgate_aws import probing
from wardgate_aws.plugin import PARAMETER_STORE, SECRETS_MANAGER

pytestmark = pytest.mark.usefixtures("some_credentials")
QUESTIONS = {
    SECRETS_MANAGER.name: probing.SECRETS_MANAGER,
    PARAMETER_STORE.name: (*probing.PARAMETER_STORE, probing.ENCRYPTING["Standard"]),
}
ABSENT = {"ssm": refused("ParameterNotFound"), "secretsmanager": refused("ResourceNotFoundException")}


@pytest.mark.parametrize("kind", STORES)
def test_a_probe_names_what_is_missing(kind: BackendType) -> None:
    """One right after another is taken away: that one is told as missing, and no other."""
    questions = QUESTIONS[kind.name]
    service = questions[0].action.partition(":")[0]
    untold = {question.action for question in questions if question.method is None}
    denied = ""

    def answer(action: str, _: object) -> Answer:
        return refused("AccessDeniedException") if action == denied else ABSENT[service]

    async def asked(backend: Backend) -> None:
        nonlocal denied
        for missing in (question.action for question in questions if question.method is not None):
            denied = missing.partition(":")[2]
            found = {permission.name: permission.granted for permission in await backend.probe()}
            assert [name for name, granted in found.items() if granted is False] == [missing]
            assert {name for name, granted in found.items() if granted is None} == untold

    with answering(answer) as endpoint:
        run(kind, endpoint.url, asked)


@pytest.mark.parametrize("kind", STORES)
def test_a_probe_of_a_credential_that_is_no_good_says_so(kind: BackendType) -> None:
    """It is not told right by right, and throttling or an outage is not taken for a missing right."""
    expected = {
        "UnrecognizedClientException": Unauthenticated,
        "ThrottlingException": RateLimited,
        "InternalServerError": Unavailable,
    }
    for code, error in expected.items():

        async def asked(backend: Backend, error: type[WardgateError] = error) -> None:
            assert type(await refusal(backend.probe())) is error

        with answering(lambda *_, code=code: refused(code, status=500 if "Server" in code else 400)) as endpoint:
            run(kind, endpoint.url, asked)


@pytest.mark.parametrize("kind", STORES)
def test_health_is_not_about_rights(kind: BackendType) -> None:
    """A policy that names prefixes allows no look at a name that is nobody's; the store answers all the same."""

    async def well(backend: Backend) -> None:
        assert (await backend.health()).ok

    async def unwell(backend: Backend) -> None:
        assert not (await backend.health()).ok

    for code, expected in (("AccessDeniedException", well), ("ExpiredTokenException", unwell)):
        with answering(lambda *_, code=code: refused(code)) as endpoint:
            run(kind, endpoint.url, expected)


@pytest.mark.parametrize("kind", STORES)
def test_a_profile_that_is_not_there_is_said(kind: BackendType, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a credential that cannot be used, without a word of the SDK's."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)

    async def asked(backend: Backend) -> None:
        error = await refusal(backend.read(SECRET))
        assert type(error) is Unauthenticated
        assert "no such profile; check 'profile'" in error.message
        assert "nobody-s" not in error.message

    run(kind, "http://127.0.0.1:1", asked, profile="nobody-s")


def test_a_machine_without_a_credential_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a credential that cannot be used, and where one was looked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    async def asked(backend: Backend) -> None:
        error = await refusal(backend.read(SECRET))
        assert type(error) is Unauthenticated
        assert "no usable credential" in error.message

    run(SECRETS_MANAGER, "http://127.0.0.1:1", asked)


def test_a_profile_of_the_shared_files_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: FilePath) -> None:
    """Its key signs the request, although there is another in the environment."""
    shared = tmp_path / "credentials"
    shared.write_text("[ours]\naws_access_key_id = AKIDOURS\naws_secret_access_key = testing\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))

    async def asked(backend: Backend) -> None:
        assert type(await refusal(backend.read(SECRET))) is SecretNotFound

    with answering(lambda *_: refused("ParameterNotFound")) as endpoint:
        run(PARAMETER_STORE, endpoint.url, asked, profile="ours")
        assert "Credential=AKIDOURS/" in endpoint.signed[0]
