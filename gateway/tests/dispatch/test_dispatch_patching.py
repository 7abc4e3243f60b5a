"""Merging into what is there: exactly, without losing anybody's write, and only where a store can compare and set."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.patching import ATTEMPTS, merged
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    Malformed,
    PreconditionRequired,
    SecretNotFound,
    TooLarge,
    Unsupported,
)
from wardgate.spi.operations.secrets import Ordinal, PatchSecret, VersionId
from wardgate.spi.path import Path
from wardgate.spi.values import (
    BYTES,
    JSON,
    Expect,
    SecretInfo,
    SecretSettings,
    SecretVersion,
    Value,
    VersionInfo,
)

from tests.support.clock import SetClock

SECRET = Path.parse("secret/app")
CAN = Capabilities(
    write=True, compare_and_set=True, ordinals=True, describe=True, settings=True, mount_settings=True,
    max_value_bytes=1_000,
)  # fmt: skip


class Store(Backend):
    """One secret; ``before_write`` runs between the read and the write of whoever patches."""

    capabilities = CAN

    def __init__(self, data: bytes | None, media_type: str = JSON) -> None:
        self.values = [] if data is None else [Value(data, media_type)]
        self.before_write: Callable[[], None] = lambda: None
        self.required = {"secret": False, "mount": False}
        self.gone = False
        self.reads = 0

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        self.reads += 1
        await asyncio.sleep(0)
        if not self.values:
            raise SecretNotFound
        info = VersionInfo(str(len(self.values)), len(self.values))
        if self.gone:
            raise Gone(info=info)
        return SecretVersion(info, self.values[-1])

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        self.before_write()
        assert expect is not None
        if expect.version != str(len(self.values)):
            raise Conflict
        self.values.append(value)
        return VersionInfo(str(len(self.values)), len(self.values))

    async def describe(self, path: Path) -> SecretInfo:
        if not self.values:
            raise SecretNotFound
        required = self.required["secret" if path.segments else "mount"]
        return SecretInfo(None, (), 0, 0, settings=SecretSettings(compare_and_set_required=required))


def patch(store: Store, text: str, expect: Any = None) -> VersionInfo:
    mount = Mount("m", "root", Path.parse("secret"), "store", {}, store)
    versions = Versions(mount, SECRET.below(mount.prefix), None, None)  # type: ignore[arg-type]  # the store numbers them
    operation = PatchSecret(path=SECRET, patch=Value(text.encode(), JSON), expect=expect)
    result: VersionInfo = asyncio.run(secret_handlers(SetClock())[PatchSecret](operation, store, versions))
    return result


@pytest.mark.parametrize(
    ("target", "change", "result"),
    [
        # The table of RFC 7396, appendix A, as far as a secret can hold it.
        ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
        ('{"a":"b"}', '{"a":null}', "{}"),
        ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
        ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'),
        ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
        ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
        ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'),
        ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
        ("[1,2]", '{"a":"b","c":null}', '{"a":"b"}'),
        ("{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
        # And what parsers would change.
        ('{"n": 1.50, "m": 1}', '{"m":12345678901234567890123}', '{"n":1.50,"m":12345678901234567890123}'),
        (' {"n" : [ 1,  2 ] } ', ' {"x" : null} ', '{"n":[ 1,  2 ]}'),
        ('{"\\u00fc": 1}', '{"ü": null}', "{}"),
    ],
)
def test_a_merge_is_rfc_7396_to_the_letter(target: str, change: str, result: str) -> None:
    """What is not touched keeps its own text, numbers above all."""
    assert result == merged(target.encode(), change.encode()).decode()


def reference(target: Any, change: Any) -> Any:
    """The function as the RFC writes it, over decoded values."""
    if not isinstance(change, dict):
        return change
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = reference(target.get(name), value)
    return target


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
NAMES = st.sampled_from(["a", "b", "c", "ü", "\n"])


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner | st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)


DOCUMENTS = st.dictionaries(NAMES, _around(_around(LEAVES)), max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_a_merge_is_what_the_rfc_s_own_function_makes(target: dict[str, Any], change: dict[str, Any]) -> None:
    """Whatever the two documents."""
    texts = (json.dumps(document).encode() for document in (target, change))
    assert reference(target, change) == json.loads(merged(*texts))


def test_the_result_is_the_next_version() -> None:
    """Written as JSON, by a compare-and-set."""
    store = Store(b'{"a": 1.50, "b": 2}')
    assert 2 == patch(store, '{"b": null}').ordinal
    assert [b'{"a": 1.50, "b": 2}', b'{"a":1.50}'] == [value.data for value in store.values]
    assert JSON == store.values[-1].media_type


def test_another_s_write_in_between_is_merged_into() -> None:
    """Nothing of it is lost, and the merge is made anew."""
    store = Store(b'{"a": 1}')
    others = iter([Value(b'{"a": 2, "other": true}', JSON)])
    store.before_write = lambda: store.values.extend(other for other in [next(others, None)] if other)
    assert 3 == patch(store, '{"b": 3}').ordinal
    assert {"a": 2, "other": True, "b": 3} == store.values[-1].fields()


def test_it_gives_up_where_others_never_rest() -> None:
    """After a bounded number of tries, with nothing written."""
    store = Store(b"{}")
    store.before_write = lambda: store.values.append(Value(b'{"other": 1}', JSON))
    with pytest.raises(Conflict, match="nothing was changed"):
        patch(store, '{"b": 3}')
    assert ATTEMPTS == store.reads
    assert all(value.data != b'{"b":3}' for value in store.values)


def test_many_at_once_all_come_through() -> None:
    """More of them than one tries: those of one process take turns, and nothing of any is lost."""
    store = Store(b"{}")
    mount = Mount("m", "root", Path.parse("secret"), "store", {}, store)
    versions = Versions(mount, SECRET.below(mount.prefix), None, None)  # type: ignore[arg-type]  # the store numbers them
    many = range(4 * ATTEMPTS)

    async def one(number: int) -> None:
        operation = PatchSecret(path=SECRET, patch=Value(b'{"%d": 1}' % number, JSON))
        await secret_handlers(SetClock())[PatchSecret](operation, store, versions)

    async def all_at_once() -> None:
        await asyncio.gather(*map(one, many))

    asyncio.run(all_at_once())
    assert {str(number): 1 for number in many} == store.values[-1].fields()


@pytest.mark.parametrize("expect", [Ordinal(2), VersionId("2"), Ordinal(0)])
def test_an_expectation_that_does_not_hold_is_a_conflict(expect: Any) -> None:
    """And is not tried again."""
    store = Store(b"{}")
    with pytest.raises(Conflict):
        patch(store, '{"b": 3}', expect)
    assert (1, 1) == (store.reads, len(store.values))


def test_an_expectation_is_judged_before_what_is_gone() -> None:
    """Whoever expects another version than the deleted one learns that first, as in Vault."""
    store = Store(b"{}")
    store.gone = True
    with pytest.raises(Conflict):
        patch(store, '{"b": 3}', Ordinal(7))
    with pytest.raises(Gone):
        patch(store, '{"b": 3}', Ordinal(1))


def test_an_expectation_that_ends_to_hold_in_between_is_a_conflict() -> None:
    """The caller meant that version and no other."""
    store = Store(b"{}")
    store.before_write = lambda: store.values.append(Value(b"{}", JSON))
    with pytest.raises(Conflict):
        patch(store, '{"b": 3}', Ordinal(1))
    assert 1 == store.reads


@pytest.mark.parametrize("where", ["secret", "mount"])
def test_a_secret_that_demands_an_expectation_demands_it_here_too(where: str) -> None:
    """Whether it says so itself, or its mount does."""
    store = Store(b"{}")
    store.required[where] = True
    with pytest.raises(PreconditionRequired):
        patch(store, '{"b": 3}')
    assert 2 == patch(store, '{"b": 3}', Ordinal(1)).ordinal


@pytest.mark.parametrize(
    ("there", "change", "error"),
    [
        (Value(b"canary"), '{"a": 1}', InvalidValue),
        (Value(b"[1]", JSON), '{"a": 1}', InvalidValue),
        (Value(b"\xff\x00", BYTES), '{"a": 1}', InvalidValue),
        (Value(b"{}", JSON), '["canary"]', InvalidValue),
        (Value(b"{}", JSON), '{"a": 1, "a": 2}', Malformed),
        (Value(b"{}", JSON), '{"a": NaN}', Malformed),
        (Value(b"{}", JSON), '{"a": ' + "[" * 40 + "]" * 40 + "}", Malformed),
        (Value(b"{}", JSON), '{"a": "' + "x" * 1_000 + '"}', TooLarge),
    ],
)
def test_what_cannot_be_merged_is_refused(there: Value, change: str, error: type[Exception]) -> None:
    """With nothing written, and no word of what is there or was sent."""
    store = Store(there.data, there.media_type)
    with pytest.raises(error) as raised:
        patch(store, change)
    assert 1 == len(store.values)
    assert "canary" not in str(raised.value)


def test_there_must_be_something_to_merge_into() -> None:
    """No secret, or a deleted version, is what a reader is told too."""
    with pytest.raises(SecretNotFound):
        patch(Store(None), '{"a": 1}')
    deleted = Store(b"{}")
    deleted.gone = True
    with pytest.raises(Gone) as raised:
        patch(deleted, '{"a": 1}')
    assert raised.value.info is not None


@pytest.mark.parametrize("missing", ["write", "compare_and_set"])
def test_a_store_that_cannot_compare_and_set_is_not_asked(missing: str) -> None:
    """A merge that could undo another's write is not made at all."""
    store = Store(b"{}")
    store.capabilities = dataclasses.replace(CAN, **{missing: False})
    with pytest.raises(Unsupported):
        patch(store, '{"a": 1}')
    assert 0 == store.reads
