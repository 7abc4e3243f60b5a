"""The emulator does what AWS's reference says where moto alone does not: the table in the README."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from tests.servers.aws_harness import sdk
from tests.servers.moto import Moto

pytestmark = pytest.mark.server
GONE = {"SecretId": "gone"}
VERSION = "gone".ljust(32, "1")
TAGS = [{"Key": "a", "Value": "b"}]
Ask = Callable[[Any], object]


@pytest.fixture
def secrets(moto: Moto) -> Iterator[Any]:
    """Secrets Manager with two secrets, one of them deleted."""
    moto.reset()
    client = sdk(moto, "secretsmanager")
    for name in ("there", "gone"):
        client.create_secret(Name=name, SecretString="first", ClientRequestToken=name.ljust(32, "1"))
    client.delete_secret(SecretId="gone", RecoveryWindowInDays=7)
    yield client
    client.close()


@pytest.fixture
def parameters(moto: Moto) -> Iterator[Any]:
    """An empty Parameter Store."""
    moto.reset()
    client = sdk(moto, "ssm")
    yield client
    client.close()


def refusal(ask: Ask, client: Any) -> str:
    """The code that it is refused with."""
    with pytest.raises(ClientError) as refused:
        ask(client)
    code: str = refused.value.response["Error"]["Code"]
    return code


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.put_secret_value(SecretString="x", **GONE),
        lambda client: client.create_secret(Name="gone", SecretString="x"),
        lambda client: client.tag_resource(Tags=TAGS, **GONE),
        lambda client: client.untag_resource(TagKeys=["a"], **GONE),
        lambda client: client.update_secret_version_stage(
            VersionStage="x", MoveToVersionId="gone".ljust(32, "1"), **GONE
        ),
    ],
    ids=["put", "create", "tag", "untag", "stage"],
)
def test_a_deleted_secret_is_not_changed(secrets: Any, ask: Ask) -> None:
    """Its name is taken, and all that is there waits to be recovered."""
    assert refusal(ask, secrets) == "InvalidRequestException"


def test_without_a_stage_it_is_the_current_version(secrets: Any) -> None:
    """Not the one that was written last."""
    secrets.put_secret_value(SecretId="there", SecretString="second", VersionStages=["tried"])
    assert secrets.get_secret_value(SecretId="there")["SecretString"] == "first"


def test_a_stage_moves_only_from_where_it_is(secrets: Any) -> None:
    """Whoever does not know where loses the race."""
    second = secrets.put_secret_value(SecretId="there", SecretString="second", VersionStages=["tried"])["VersionId"]
    first = "there".ljust(32, "1")
    moved = {"SecretId": "there", "VersionStage": "tried", "MoveToVersionId": first}
    assert refusal(lambda client: client.update_secret_version_stage(**moved), secrets) == "InvalidParameterException"
    secrets.update_secret_version_stage(RemoveFromVersionId=second, **moved)
    assert secrets.describe_secret(SecretId="there")["VersionIdsToStages"][first] == ["AWSCURRENT", "tried"]


def test_a_missing_secret_has_no_versions_to_list(secrets: Any) -> None:
    """It is said to be missing."""
    assert refusal(lambda client: client.list_secret_version_ids(SecretId="no"), secrets) == "ResourceNotFoundException"


def test_a_version_keeps_its_time(secrets: Any) -> None:
    """The same in a list as with the value."""
    (listed,) = secrets.list_secret_version_ids(SecretId="there")["Versions"]
    assert listed["CreatedDate"] == secrets.get_secret_value(SecretId="there")["CreatedDate"]


@pytest.mark.parametrize(
    "asked",
    [{"Name": "big", "SecretString": "x" * 65_537}, {"Name": "big", "SecretBinary": b"\xff" * 65_537},
     {"Name": "with space", "SecretString": "x"}],
    ids=["text", "bytes", "name"],
)  # fmt: skip
def test_secrets_have_limits(secrets: Any, asked: dict[str, Any]) -> None:
    """Of size, and of what a name can hold."""
    assert refusal(lambda client: client.create_secret(**asked), secrets) == "InvalidParameterException"


@pytest.mark.parametrize(
    "asked",
    [{"Value": "x" * 4_097}, {"Value": "x" * 8_193, "Tier": "Advanced"}, {"Value": "a {{b}} c"},
     {"Name": "/with space"}, {"Name": "/" + "n" * 1_000}, {"Name": "/n" * 16}],
    ids=["standard", "advanced", "reference", "alphabet", "length", "depth"],
)  # fmt: skip
def test_parameters_have_limits(parameters: Any, asked: dict[str, Any]) -> None:
    """Of size and of what a value can hold; of a name's letters, length and depth."""
    given = {"Name": "/a", "Value": "x", "Type": "SecureString", **asked}
    assert refusal(lambda client: client.put_parameter(**given), parameters) == "ValidationException"


@pytest.mark.parametrize("change", ["label_parameter_version", "unlabel_parameter_version"])
def test_a_label_makes_no_parameter(parameters: Any, change: str) -> None:
    """And lists go on as before."""
    asked = {"Name": "/no", "ParameterVersion": 1, "Labels": ["a"]}
    assert refusal(lambda client: getattr(client, change)(**asked), parameters) == "ParameterNotFound"
    assert parameters.describe_parameters()["Parameters"] == []


def test_pages_have_the_size_that_is_asked_for(parameters: Any) -> None:
    """Fifty at most."""
    for number in range(13):
        parameters.put_parameter(Name=f"/{number}", Value="x", Type="SecureString")
    first = parameters.describe_parameters(MaxResults=12)
    rest = parameters.describe_parameters(MaxResults=12, NextToken=first["NextToken"])
    assert (len(first["Parameters"]), len(rest["Parameters"]), rest.get("NextToken")) == (12, 1, None)


def test_parameters_put_at_once_have_each_a_version() -> None:
    """No two have one number, and none is lost; asked here, where threads can be made to meet."""
    from tests.servers.moto_corrected import Parameters  # noqa: PLC0415  # it loads the whole emulator

    store = Parameters("eu-central-1", "123456789012")

    def put(_turn: int) -> int:
        more: dict[str, Any] = {"overwrite": True, "tags": [], "data_type": "text", "tier": None, "policies": None}
        version: int = store.put_parameter("/a", "", "x", "SecureString", "", "", **more).version
        return version

    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert sorted(threads.map(put, range(100))) == list(range(1, 101))
    finally:
        sys.setswitchinterval(patience)
