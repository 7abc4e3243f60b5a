"""Cases: the declaration, concurrency, secrecy and closing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import CLOSED_LIST, Conflict, SecretNotFound, Unsupported, WardgateError
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import ROOT
from wardgate.spi.values import Expect, SecretSettings, Value, VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import lacks, needs
from wardgate_conformance.values import CANARY, MISSING, SECRET, document, shows

CALLS: dict[str, Callable[[Backend, str], Awaitable[object]]] = {
    "write": lambda backend, _: backend.write(SECRET, document(a="b")),
    "compare_and_set": lambda backend, _: backend.write(SECRET, document(a="b"), expect=Expect(None)),
    "list": lambda backend, _: backend.list(ROOT),
    "describe": lambda backend, _: backend.describe(SECRET),
    "labels": lambda backend, _: backend.annotate(SECRET, labels={"a": "b"}),
    "settings": lambda backend, _: backend.annotate(SECRET, settings=SecretSettings(max_versions=2)),
    "mount_settings": lambda backend, _: backend.annotate(ROOT, settings=SecretSettings(max_versions=2)),
    "versions": lambda backend, version: backend.read(SECRET, version=version),
    "delete": lambda backend, _: backend.delete(SECRET),
    "delete_versions": lambda backend, version: backend.delete(SECRET, versions=[version]),
    "undelete": lambda backend, version: backend.undelete(SECRET, versions=[version]),
    "destroy": lambda backend, _: backend.destroy(SECRET),
    "destroy_versions": lambda backend, version: backend.destroy(SECRET, versions=[version]),
    "stages": lambda backend, version: backend.move_stage(SECRET, "pending", version=version),
    "move_current": lambda backend, version: backend.move_stage(SECRET, "current", version=version),
}
"""One call for each capability that has a method, or an argument, of its own; some name a version."""
MANY = 12


class Declaration:
    """What is declared is done; what is not declared is refused, and nothing is changed."""

    kind: ClassVar[BackendType | None]
    notes: ClassVar[Mapping[str, str]]

    async def test_an_opened_backend_declares_what_its_type_does(
        self, backend: Backend, capabilities: Capabilities
    ) -> None:
        """The cases were selected by that, and documentation is printed from one of the type's declarations."""
        shown = (backend.capabilities, dict(backend.notes))
        assert (capabilities, dict(self.notes)) == shown
        if self.kind is not None:
            assert shown in [(each.capabilities, dict(each.notes)) for each in self.kind.declarations]

    @pytest.mark.parametrize("capability", [pytest.param(name, marks=lacks(name)) for name in CALLS])
    async def test_what_is_not_declared_is_refused(self, backend: Backend, harness: Harness, capability: str) -> None:
        """As Unsupported, whatever is there; and it leaves everything as it was."""
        await harness.put(SECRET, {"turn": "1"})
        before = await backend.read(SECRET)
        with pytest.raises(Unsupported):
            await CALLS[capability](backend, "1")
        assert before == await backend.read(SECRET)

    @pytest.mark.parametrize("capability", [pytest.param(name, marks=needs(name)) for name in CALLS])
    async def test_what_is_declared_is_there(self, backend: Backend, harness: Harness, capability: str) -> None:
        """It may fail for a good reason; being unsupported is none."""
        await harness.put(SECRET, {"turn": "1"})
        try:
            await CALLS[capability](backend, "1")
        except Unsupported:
            pytest.fail(f"{capability} is declared and unsupported")
        except WardgateError:
            pass

    def test_a_declaration_makes_sense(self, capabilities: Capabilities) -> None:
        """No part without its whole, and no limit that holds nothing."""
        parts = {
            "compare_and_set": "write", "delete_versions": "delete", "undelete": "delete", "stages": "versions",
            "destroy_versions": "destroy", "move_current": "stages",
            "media_types": "write", "empty_secrets": "describe", "mount_settings": "settings",
        }  # fmt: skip
        lonely = {part for part, whole in parts.items() if getattr(capabilities, part)} - {
            part for part, whole in parts.items() if getattr(capabilities, whole)
        }
        assert set() == lonely
        limits = [getattr(capabilities, field.name) for field in dataclasses.fields(capabilities)]
        assert all(limit >= 0 for limit in limits if not isinstance(limit, bool))
        assert capabilities.max_path_bytes
        assert capabilities.page_size
        assert capabilities.min_value_bytes in {0, 1}
        assert capabilities.max_value_bytes
        assert not 0 < capabilities.max_text_bytes <= capabilities.max_value_bytes


class Concurrency:
    """Many callers at once, on one loop, and some that go away."""

    @needs("compare_and_set")
    async def test_one_creator_wins(self, backend: Backend) -> None:
        """The others learn of the conflict, and the winner's value stands."""
        writes = (backend.write(SECRET, document(by=str(turn)), expect=Expect(None)) for turn in range(MANY))
        answers = await asyncio.gather(*writes, return_exceptions=True)
        winners = [turn for turn, answer in enumerate(answers) if not isinstance(answer, BaseException)]
        assert len(winners) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == MANY - 1
        assert {"by": str(winners[0])} == (await backend.read(SECRET)).value.fields()

    @needs("write")
    async def test_each_write_makes_a_version(self, backend: Backend) -> None:
        """None is lost, and no two get one id."""
        written = await asyncio.gather(*(backend.write(SECRET, document(by=str(turn))) for turn in range(MANY)))
        assert len({info.id for info in written}) == MANY
        found = await backend.read(SECRET)
        by = {info.id: str(turn) for turn, info in enumerate(written)}
        assert {"by": by[found.info.id]} == found.value.fields()

    @needs("write", "versions")
    async def test_versions_made_at_once_keep_their_values(self, backend: Backend) -> None:
        """Each id opens what its own writer wrote."""
        written = await asyncio.gather(*(backend.write(SECRET, document(by=str(turn))) for turn in range(6)))
        for turn, info in enumerate(written):
            assert {"by": str(turn)} == (await backend.read(SECRET, version=info.id)).value.fields()

    async def test_readers_do_not_mix(self, backend: Backend, harness: Harness) -> None:
        """Each gets the secret that it asked for."""
        paths = [SECRET.child(f"n{turn}") for turn in range(MANY)]
        for path in paths:
            await harness.put(path, {"path": str(path)})
        found = await asyncio.gather(*(backend.read(path) for path in paths * 3))
        assert [{"path": str(path)} for path in paths * 3] == [version.value.fields() for version in found]

    async def test_a_caller_that_goes_away_harms_nobody(self, backend: Backend, harness: Harness) -> None:
        """Reads are cancelled at every stage; the next one is answered."""
        await harness.put(SECRET, {"a": "b"})
        tasks = [asyncio.create_task(backend.read(SECRET)) for _ in range(MANY)]
        for turn, task in enumerate(tasks):
            for _ in range(turn % 4):
                await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (await backend.read(SECRET)).value.fields() == {"a": "b"}

    @needs("write")
    async def test_two_handles_are_one_store(self, backend: Backend, harness: Harness) -> None:
        """Several workers open the same mount: each sees what another wrote last."""
        other = harness.open()
        try:
            await backend.write(SECRET, document(by="one"))
            written = await other.write(SECRET, document(by="other"))
            assert written.id == (await backend.read(SECRET)).info.id
        finally:
            await other.close()


class Secrecy:
    """A value is in the answer and nowhere else."""

    async def test_an_answer_does_not_show_its_value(self, backend: Backend, harness: Harness) -> None:
        """Not in a ``repr``, where logs and debuggers take it from."""
        await harness.put(SECRET, {CANARY: CANARY})
        found = await backend.read(SECRET)
        assert CANARY in found.value.data.decode()
        assert not shows(repr(found) + str(found) + repr(backend) + repr(vars(backend)))

    @needs("write")
    async def test_no_error_and_no_log_holds_a_value(self, backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever goes wrong: the error, all it was raised from, and all that was logged meanwhile."""
        caplog.set_level(0)
        value = Value(f'{{"{CANARY}": "{CANARY}"}}'.encode())
        await backend.write(SECRET, value)
        attempts: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: backend.read(SECRET),
            lambda: backend.describe(SECRET),
            lambda: backend.list(ROOT),
            lambda: backend.read(MISSING),
            lambda: backend.read(SECRET, version="no-such-id"),
            lambda: backend.write(SECRET, value, expect=Expect("no-such-id")),
            lambda: backend.write(SECRET, value, expect=Expect(None)),
            lambda: backend.undelete(SECRET, versions=["no-such-id"]),
            lambda: backend.list(ROOT, cursor="no-cursor"),
        )
        for attempt in attempts:
            # Whether it must fail is another case's question: a whole secret comes back whatever version is named.
            (refused,) = await asyncio.gather(attempt(), return_exceptions=True)
            if isinstance(refused, BaseException):
                assert type(refused) in CLOSED_LIST
                assert not shows("".join(traceback.format_exception(refused)) + repr(vars(refused)))
        assert not shows(caplog.text)

    async def test_a_name_that_is_missing_is_not_guessed_at(self, backend: Backend, harness: Harness) -> None:
        """An error names no secret but the one asked for."""
        await harness.put(MISSING.child(CANARY), {"a": "b"})
        with pytest.raises(SecretNotFound) as refused:
            await backend.read(MISSING)
        assert not shows(str(refused.value))


class Closing:
    """A backend gives back what it took, and the store is what stays."""

    async def test_closing_twice_is_safe(self, backend: Backend, harness: Harness) -> None:
        """The fixture closes it a third time."""
        await harness.put(SECRET, {"a": "b"})
        await backend.read(SECRET)
        await backend.close()
        await backend.close()

    @needs("write")
    async def test_what_was_written_outlives_the_handle(self, backend: Backend, harness: Harness) -> None:
        """An answered write is the store's, not the backend's."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.close()
        again = harness.open()
        try:
            found = await again.read(SECRET)
        finally:
            await again.close()
        assert (written.id, VersionState.LIVE) == (found.info.id, found.info.state)

    async def test_a_closed_backend_fails_plainly(self, backend: Backend, harness: Harness) -> None:
        """With one of the closed list, or by still answering; never with a library's own error."""
        await harness.put(SECRET, {"a": "b"})
        await backend.close()
        with contextlib.suppress(*CLOSED_LIST):
            await backend.read(SECRET)
