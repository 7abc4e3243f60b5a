"""What is Parameter Store's own: options, names, depth, tags, what a value may not hold, many parameters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.aws_harness import PATHS, opened, sdk
from tests.servers.moto import Moto
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, SecretNotFound, TooLarge, Unsupported, VersionNotFound
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import BYTES, TEXT, Entry, Value
from wardgate_aws.declaration import MAX_PARAMETER_NAME, MAX_PREFIX
from wardgate_aws.names import MAX_LEVELS, Hierarchy
from wardgate_aws.plugin import PARAMETER_STORE as BACKEND
from wardgate_aws.tags import MAX_KEY, MAX_TAGS, MAX_TEXT

SECRET = Path.parse("team/database")
ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/")
LONGEST_ARN = "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter"
Work = Callable[[Backend], Coroutine[Any, Any, None]]


def run(moto: Moto, work: Work, **options: Any) -> Any:
    """Do the work with a backend over an empty store; the SDK's client is given back."""
    moto.reset()
    return again(moto, work, **options)


def again(moto: Moto, work: Work, **options: Any) -> Any:
    """The same over the store as it is."""

    async def opened_and_closed() -> None:
        backend = opened(BACKEND, moto.endpoint, **options)
        try:
            await work(backend)
        finally:
            await backend.close()

    asyncio.run(opened_and_closed())
    return sdk(moto, "ssm")


@pytest.mark.parametrize(
    "options",
    [
        {"prefix": "team"},
        {"prefix": "//"},
        {"prefix": "/team space/"},
        {"prefix": "/aws/reference/"},
        {"prefix": "/SSM-things/"},
        {"prefix": "/" + "p" * MAX_PREFIX},
        {"kms_key_id": ""},
        {"endpoint": "http://store.example"},
        {"timeout": 0.0},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidValue):
        opened(BACKEND, **options)


@given(PATHS, st.sampled_from(["/", "/team/", "/a/b", "/x_x41/"]))
def test_a_path_has_one_name_and_comes_back(path: Path, prefix: str) -> None:
    """Below the prefix, in the store's alphabet, whatever characters it holds; what cannot be is refused."""
    hierarchy = Hierarchy(prefix)
    try:
        name = hierarchy.name_of(path)
    except (InvalidValue, TooLarge):
        with pytest.raises(SecretNotFound):
            hierarchy.existing(path)
        return
    assert name.startswith(prefix)
    assert set(name) <= ALPHABET
    assert len(LONGEST_ARN + name) <= 1_011  # as the store counts
    assert path == hierarchy.path_of(name)


@given(st.text("ab/_x.-0123456789ABCDEF", max_size=40))
def test_a_name_of_somebody_else_s_stands_for_its_path_alone(name: str) -> None:
    """What no path maps to has none. Only the slash at the beginning may be missing: it is the same parameter."""
    hierarchy = Hierarchy("/")
    path = hierarchy.path_of(name)
    assert path is None or hierarchy.name_of(path) in {name, f"/{name}"}


def test_the_longest_prefix_leaves_room_for_the_longest_path() -> None:
    """Both as they are declared."""
    longest = "/" + "p" * (MAX_PREFIX - 2) + "/"
    room = MAX_PARAMETER_NAME - MAX_PREFIX
    assert len(Hierarchy(longest).name_of(Path(("n" * 250,) * 3 + ("n" * (room - 753),)))) == MAX_PARAMETER_NAME


@pytest.mark.parametrize("name", ["aws", "AWSome", "ssm/x", "Ssm-key"])
def test_names_that_aws_keeps_to_itself_are_refused(name: str) -> None:
    """At the top of the hierarchy; below a prefix they are anybody's."""
    with pytest.raises(InvalidValue):
        Hierarchy("/").name_of(Path.parse(name))
    assert Hierarchy("/").path_of(f"/{name}") is None
    assert Path.parse(name) == Hierarchy("/team/").path_of(f"/team/{name}")


@pytest.mark.server
def test_the_deepest_path_is_held_and_a_deeper_one_is_refused(moto: Moto) -> None:
    """Levels of the prefix count, as the store counts them."""

    async def asked(backend: Backend) -> None:
        deepest = Path(("s",) * (MAX_LEVELS - 2))
        await backend.write(deepest, Value(b"x"))
        assert (await backend.read(deepest)).value.data == b"x"
        with pytest.raises(TooLarge):
            await backend.write(deepest.child("s"), Value(b"x"))
        with pytest.raises(SecretNotFound):
            await backend.read(deepest.child("s"))

    run(moto, asked, prefix="/team/mine/")


@pytest.mark.server
@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_text_fits_up_to_the_tier_s_own_limit(moto: Moto, tier: str) -> None:
    """What is declared fits in any form; more is taken where it is text, and refused before it is sent."""
    most = {"Standard": 4_096, "Advanced": 8_192}[tier]

    async def asked(backend: Backend) -> None:
        assert backend.capabilities.max_value_bytes < most
        for data in (b"x" * most, "ü".encode() * (most // 2), b'"' * most):
            await backend.write(SECRET, Value(data))
            assert data == (await backend.read(SECRET)).value.data
        for data in (b"x" * (most + 1), "ü".encode() * (most // 2 + 1), b"\xff" * most):
            with pytest.raises(TooLarge):
                await backend.write(SECRET, Value(data))
        with pytest.raises(InvalidValue):
            await backend.write(SECRET, Value(b""))

    client = run(moto, asked, tier=tier)
    assert client.describe_parameters()["Parameters"][0]["Tier"] == tier


@pytest.mark.server
@pytest.mark.parametrize(
    "value",
    [
        Value(b"Dear {{name}}", TEXT),
        Value(b'{"greeting": "{{ssm:other}}"}', TEXT),
        Value(b"{{" * 1_500, TEXT),
        Value(b'{"value_base64": "AAE=", "wardgate:type": "application/octet-stream"}', TEXT),
        Value(b"\x00\xff", BYTES),
    ],
    ids=["template", "reference", "largest", "imitation", "bytes"],
)
def test_what_the_store_would_refuse_or_garble_comes_back(moto: Moto, value: Value) -> None:
    """The store refuses two braces, by which it refers to other parameters; such text travels like bytes."""

    async def asked(backend: Backend) -> None:
        await backend.write(SECRET, value)
        assert value.data == (await backend.read(SECRET)).value.data

    run(moto, asked)


@pytest.mark.server
def test_text_is_stored_as_it_is_and_encrypted(moto: Moto) -> None:
    """AWS's own tools read it; under the key that was named."""

    async def asked(backend: Backend) -> None:
        await backend.write(SECRET, Value(b'{"user": "ada"}', TEXT))

    client = run(moto, asked, prefix="/team/", kms_key_id="alias/ours")
    found = client.get_parameter(Name="/team/team/database", WithDecryption=True)["Parameter"]
    assert (found["Type"], json.loads(found["Value"])) == ("SecureString", {"user": "ada"})
    assert client.describe_parameters()["Parameters"][0]["KeyId"] == "alias/ours"


@pytest.mark.server
def test_a_prefix_hides_what_lies_beside_it(moto: Moto) -> None:
    """Neither read nor listed nor deleted; also where a name begins alike."""
    moto.reset()
    client = sdk(moto, "ssm")
    for name in ("/team/mine", "/team-two/theirs", "/teammate", "loose"):
        client.put_parameter(Name=name, Value="x", Type="SecureString")

    async def asked(backend: Backend) -> None:
        assert [Entry("mine")] == list((await backend.list(ROOT)).entries)
        for foreign in ("theirs", "loose", "teammate"):
            with pytest.raises(SecretNotFound):
                await backend.read(Path.parse(foreign))
            with pytest.raises(SecretNotFound):
                await backend.delete(Path.parse(foreign))

    again(moto, asked, prefix="/team")


@pytest.mark.server
def test_a_name_without_a_slash_is_listed_and_read(moto: Moto) -> None:
    """The store takes it for the same as the one with a slash; many parameters of old have such names."""
    moto.reset()
    sdk(moto, "ssm").put_parameter(Name="loose", Value="x", Type="SecureString")

    async def asked(backend: Backend) -> None:
        assert [Entry("loose")] == list((await backend.list(ROOT)).entries)
        assert (await backend.read(Path.parse("loose"))).value.data == b"x"

    again(moto, asked)


@pytest.mark.server
def test_labels_are_tags_within_their_bounds(moto: Moto) -> None:
    """What no tag can hold is refused before anything is sent, and nothing is changed by it."""

    async def asked(backend: Backend) -> None:
        await backend.write(SECRET, Value(b"x"))
        most = {f"key{number}": "t" * MAX_TEXT for number in range(MAX_TAGS)}
        await backend.annotate(SECRET, labels=most)
        for labels, error in (
            ({"one more": "x"}, TooLarge),
            ({"k" * (MAX_KEY + 1): "x"}, TooLarge),
            ({"key0": "t" * (MAX_TEXT + 1)}, TooLarge),
            ({"aws:mine": "x"}, InvalidValue),
            ({"AWS:mine": "x"}, InvalidValue),
            ({"": "x"}, InvalidValue),
            ({"tab\t": "x"}, InvalidValue),
            ({"key0": "semi;colon"}, InvalidValue),
        ):
            with pytest.raises(error):
                await backend.annotate(SECRET, labels=labels, merge=True)
        assert most == (await backend.describe(SECRET)).labels

    client = run(moto, asked)
    assert (
        len(client.list_tags_for_resource(ResourceType="Parameter", ResourceId="/team/database")["TagList"]) == MAX_TAGS
    )


@pytest.mark.server
def test_tags_of_aws_itself_are_hidden_and_stay(moto: Moto) -> None:
    """Such as CloudFormation sets."""

    async def written(backend: Backend) -> None:
        await backend.write(SECRET, Value(b"x"))

    async def labelled(backend: Backend) -> None:
        await backend.annotate(SECRET, labels={"owner": "ada"})
        assert (await backend.describe(SECRET)).labels == {"owner": "ada"}

    client = run(moto, written)
    where = {"ResourceType": "Parameter", "ResourceId": "/team/database"}
    client.add_tags_to_resource(Tags=[{"Key": "aws:cloudformation:stack-name", "Value": "s"}], **where)
    again(moto, labelled)
    keys = {tag["Key"] for tag in client.list_tags_for_resource(**where)["TagList"]}
    assert keys == {"aws:cloudformation:stack-name", "owner"}


@pytest.mark.server
def test_more_versions_than_a_page_are_told(moto: Moto) -> None:
    """The store keeps the last 100 and tells 50 at a time."""
    moto.reset()
    client = sdk(moto, "ssm")
    for turn in range(103):
        client.put_parameter(Name=f"/{SECRET}", Value=str(turn), Type="SecureString", Overwrite=True)

    async def asked(backend: Backend) -> None:
        known = await backend.describe(SECRET)
        assert [info.ordinal for info in known.versions] == list(range(4, 104))
        assert (await backend.read(SECRET, version="4")).value.data == b"3"
        with pytest.raises(VersionNotFound):
            await backend.read(SECRET, version="3")

    again(moto, asked)


@pytest.mark.server
@pytest.mark.parametrize("stage", ["1st", "aws-x", "SSMx", "with space", "", "x" * 101])
def test_a_stage_that_is_no_label_is_refused(moto: Moto, stage: str) -> None:
    """By the store's own rules, before it is asked; current and previous follow from the versions."""

    async def asked(backend: Backend) -> None:
        written = await backend.write(SECRET, Value(b"x"))
        with pytest.raises(InvalidValue):
            await backend.move_stage(SECRET, stage, version=written.id)
        with pytest.raises(Unsupported):
            await backend.move_stage(SECRET, "current", version=written.id)

    run(moto, asked)


@pytest.mark.server
def test_a_probe_changes_nothing(moto: Moto) -> None:
    """It tells the rights it has, leaves open what cannot be asked, and the store as it was."""

    async def asked(backend: Backend) -> None:
        found = {permission.name: permission.granted for permission in await backend.probe()}
        open_ones = {name for name, granted in found.items() if granted is None}
        assert open_ones == {"ssm:PutParameter", "kms:Decrypt", "kms:Encrypt"}
        assert all(granted for name, granted in found.items() if name not in open_ones)
        assert (await backend.list(ROOT)).entries == ()

    run(moto, asked)
