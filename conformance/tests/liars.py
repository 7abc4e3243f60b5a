"""The liars: for each promise backends that break it alone, as the body of a class over one that keeps them all."""

from __future__ import annotations

LIARS: dict[str, dict[str, str]] = {
    "Declaration": {
        "it has notes that its type has not": """
            notes = {"labels": "kept in the name"}
            """,
        "it declares another page size than its type": """
            def __init__(self, store):
                super().__init__(store)
                self.capabilities = replace(self.capabilities, page_size=1)
            """,
    },
    "Reading": {
        "its ordinals are not its ids": """
            async def read(self, path, *, version=None):
                found = await super().read(path, version=version)
                return replace(found, info=replace(found.info, ordinal=0))

            async def write(self, path, value, *, expect=None):
                return replace(await super().write(path, value, expect=expect), ordinal=0)
            """,
    },
    "Missing": {
        "a version of no secret is a missing version": """
            async def read(self, path, *, version=None):
                if version is not None and path not in self._store.secrets:
                    raise VersionNotFound("the secret has no such version")
                return await super().read(path, version=version)
            """,
    },
    "Writing": {
        "what is too large is cut": """
            async def write(self, path, value, *, expect=None):
                value = Value(value.data[: self.capabilities.max_value_bytes], value.media_type)
                return await super().write(path, value, expect=expect)
            """,
        "a path that is too long is cut": """
            async def write(self, path, value, *, expect=None):
                if len(str(path).encode()) > self.capabilities.max_path_bytes:
                    path = Path.parse(str(path)[: self.capabilities.max_path_bytes])
                return await super().write(path, value, expect=expect)
            """,
        "it forgets a media type": """
            async def write(self, path, value, *, expect=None):
                if value.media_type == "application/x-pem-file":
                    value = Value(value.data, BYTES)
                return await super().write(path, value, expect=expect)
            """,
    },
    "CompareAndSet": {
        "an expectation that makes no sense is none": """
            async def write(self, path, value, *, expect=None):
                if expect == Expect("latest"):
                    expect = None
                return await super().write(path, value, expect=expect)
            """,
    },
    "Versions": {
        "all but the newest six are dropped": """
            async def read(self, path, *, version=None):
                found = await super().read(path, version=version)
                if found.info.ordinal + 6 <= self._store.secret(path).written:
                    raise VersionNotFound("the secret has no such version")
                return found
            """,
        "it keeps more versions than it is told": """
            def _settings(self, secret):
                return replace(super()._settings(secret), max_versions=0)
            """,
    },
    "Stages": {
        "a rollback leaves previous behind": """
            async def move_stage(self, path, stage, *, version):
                await super().move_stage(path, stage, version=version)
                if stage == "current":
                    self._store.secret(path).stages["previous"] = version
            """,
        "a stage is never taken away": """
            async def move_stage(self, path, stage, *, version):
                if version is not None:
                    await super().move_stage(path, stage, version=version)
            """,
    },
    "Listing": {
        "what is on the store's second page is left out": """
            async def list(self, folder, *, cursor=None, limit=1_000):
                first = await super().list(folder, limit=20)
                if first.cursor is None:
                    return await super().list(folder, cursor=cursor, limit=limit)
                return Page(first.entries)
            """,
        "a long page is longer than was asked for": """
            async def list(self, folder, *, cursor=None, limit=1_000):
                return await super().list(folder, cursor=cursor, limit=limit + 1 if limit > 20 else limit)
            """,
        "a page of one name says that it is the last": """
            async def list(self, folder, *, cursor=None, limit=1_000):
                page = await super().list(folder, cursor=cursor, limit=limit)
                return Page(page.entries) if limit == 1 else page
            """,
    },
    "Annotating": {
        "a write erases the labels": """
            async def write(self, path, value, *, expect=None):
                written = await super().write(path, value, expect=expect)
                self._store.secret(path).labels = {}
                return written
            """,
        "a label is on every secret": """
            async def annotate(self, path, *, labels=None, settings=None, merge=False):
                await super().annotate(path, labels=labels, settings=settings, merge=merge)
                for other in self._store.secrets.values() if path in self._store.secrets else ():
                    other.labels = self._store.secrets[path].labels
            """,
        "a merge replaces": """
            async def annotate(self, path, *, labels=None, settings=None, merge=False):
                await super().annotate(path, labels=labels, settings=settings, merge=False)
            """,
        "what has ended is told as deleted": """
            async def read(self, path, *, version=None):
                try:
                    return await super().read(path, version=version)
                except Gone as gone:
                    if gone.info.state is VersionState.EXPIRED:
                        raise Gone("gone", info=replace(gone.info, state=VersionState.DELETED)) from None
                    raise
            """,
    },
    "Deleting": {
        "an empty selection is the current version": """
            async def delete(self, path, *, versions=None):
                await super().delete(path, versions=versions or None)
            """,
        "the time of a delete is when somebody asked": """
            async def read(self, path, *, version=None):
                try:
                    return await super().read(path, version=version)
                except Gone as gone:
                    raise Gone("gone", info=replace(gone.info, deleted_at=time.time_ns())) from None
            """,
    },
    "Recovering": {
        "what comes back is empty": """
            async def undelete(self, path, *, versions):
                self._store.secret(path).values.update(dict.fromkeys(versions, Value(b"{}")))
                await super().undelete(path, versions=versions)
            """,
    },
    "WholeSecret": {
        "it writes over what can be recovered": """
            async def write(self, path, value, *, expect=None):
                return await Reference.write(self, path, value, expect=expect)
            """,
    },
    "Destroying": {
        "an empty selection is the whole secret": """
            async def destroy(self, path, *, versions=None):
                await super().destroy(path, versions=versions or None)
            """,
    },
    "HostileNames": {
        "Greek capitals of a name become small": """
            async def write(self, path, value, *, expect=None):
                small = Path(tuple(name.replace("Δ", "δ") for name in path.segments))
                return await super().write(small, value, expect=expect)
            """,
        "what it cannot hold cannot be asked for": """
            def held(self, path):
                if "`" in str(path):
                    raise InvalidValue("the name has a character that this store cannot hold")

            async def write(self, path, value, *, expect=None):
                self.held(path)
                return await super().write(path, value, expect=expect)

            async def read(self, path, *, version=None):
                self.held(path)
                return await super().read(path, version=version)
            """,
        "case is folded": """
            async def write(self, path, value, *, expect=None):
                folded = Path.parse(str(path).replace("Key", "key"))
                return await super().write(folded, value, expect=expect)
            """,
    },
    "HostileValues": {
        "an empty value is taken though it declares that it is not": """
            capabilities = replace(Reference.capabilities, min_value_bytes=1)
            """,
        "letters are composed": """
            async def write(self, path, value, *, expect=None):
                text = value.text()
                if text is not None:
                    value = Value(unicodedata.normalize("NFC", text).encode(), value.media_type)
                return await super().write(path, value, expect=expect)
            """,
        "Greek capitals become small": """
            async def write(self, path, value, *, expect=None):
                text = value.text()
                if text is not None:
                    value = Value(text.replace("Δ", "δ").encode(), value.media_type)
                return await super().write(path, value, expect=expect)
            """,
        "spaces around a value are dropped": """
            async def write(self, path, value, *, expect=None):
                return await super().write(path, Value(value.data.strip(), value.media_type), expect=expect)
            """,
    },
    "Concurrency": {
        "a compare-and-set looks first and writes later": """
            async def write(self, path, value, *, expect=None):
                if expect == Expect(None) and path not in self._store.secrets:
                    await asyncio.sleep(0)
                    return await super().write(path, value)
                return await super().write(path, value, expect=expect)
            """,
    },
    "Secrecy": {
        "it logs what it reads": """
            async def read(self, path, *, version=None):
                found = await super().read(path, version=version)
                logging.getLogger("liar").debug("read %s", found.value.data)
                return found
            """,
        "an error quotes the value as base64": """
            async def write(self, path, value, *, expect=None):
                try:
                    return await super().write(path, value, expect=expect)
                except Conflict:
                    raise Conflict("not written: " + base64.b64encode(b"?" + value.data).decode()) from None
            """,
        "an error quotes the value as a form's field": """
            async def write(self, path, value, *, expect=None):
                try:
                    return await super().write(path, value, expect=expect)
                except Conflict:
                    raise Conflict("not written: " + quote_plus(value.data)) from None
            """,
        "it keeps what it read last": """
            async def read(self, path, *, version=None):
                found = await super().read(path, version=version)
                self.last = found.value.data
                return found
            """,
    },
    "Probing": {
        "its probe writes": """
            async def probe(self):
                await self.write(Path.parse("probe"), Value(b"x"))
                return ()
            """,
        "its permissions are for what nobody declares": """
            async def probe(self):
                return [Permission("secrets/get", frozenset({"reading"}), True)]
            """,
        "its health raises when it is closed": """
            closed = False

            async def close(self):
                self.closed = True

            async def health(self):
                if self.closed:
                    raise Unavailable("this mount is closed")
                return Health(ok=True, detail="it answers")
            """,
    },
    "Closing": {
        "what is closed fails in a library's words": """
            closed = False

            async def read(self, path, *, version=None):
                if self.closed:
                    raise RuntimeError("the pool is closed")
                return await super().read(path, version=version)

            async def close(self):
                self.closed = True
            """,
    },
}
"""Over the references, which keep everything in memory."""
REMOTE_LIARS: dict[str, dict[str, str]] = {
    "Failing": {
        "an outage is a missing secret": """
            async def read(self, path, *, version=None):
                try:
                    return await super().read(path, version=version)
                except Unavailable:
                    raise SecretNotFound("there is no secret of that path") from None
            """,
        "whatever is answered, it is deleted": """
            async def exchange(self, line):
                answer = await super().exchange(line)
                return b"[]\\n" if b'["delete"' in line and answer.startswith(b"<") else answer
            """,
        "a lost answer is a success": """
            async def delete(self, path, *, versions=None):
                with contextlib.suppress(OutcomeUnknown):
                    await super().delete(path, versions=versions)
            """,
        "a torn page is the end of the list": """
            async def paths(self):
                found = ()
                with contextlib.suppress(Unavailable):
                    found = tuple(await self.ask("names", ROOT, None))
                if not found:
                    return await super().paths()
                with contextlib.suppress(Unavailable):
                    while answer := await self.ask("names", ROOT, found[-1]):
                        found += tuple(answer)
                return tuple(map(Path.parse, found))
            """,
        "the first piece of an answer is all of it": """
            async def exchange(self, line):
                if b"database" not in line:
                    return await super().exchange(line)
                reader, writer = await asyncio.open_connection(*self.at, limit=1 << 20)
                try:
                    writer.write(line)
                    answer = await reader.read(1 << 20)
                    if len(answer) == TRICKLE:
                        return answer[:-3] + b'"]\\n'
                    return answer if answer.endswith(b"\\n") else answer + await reader.readline()
                finally:
                    writer.close()
            """,
        "a store that has had enough is away": """
            async def ask(self, *args, **named):
                try:
                    return await super().ask(*args, **named)
                except RateLimited:
                    raise Unavailable("the store does not answer") from None
            """,
        "it is always well": """
            async def health(self):
                return Health(ok=True, detail="it answers")
            """,
    },
    "Probing": {
        "a store that is away allows nothing": """
            async def probe(self):
                try:
                    return await super().probe()
                except Unavailable:
                    return [Permission("read", frozenset({"read"}), False)]
            """,
    },
    "Cancellation": {
        "a request outlives its caller": """
            async def read(self, path, *, version=None):
                return await asyncio.shield(asyncio.create_task(super().read(path, version=version)))
            """,
        "a connection whose answer is still to come goes to the next reader": """
            idle = None

            def __init__(self, *told):
                super().__init__(*told)
                self.opened = []

            async def read(self, path, *, version=None):
                try:
                    return await super().read(path, version=version)
                except asyncio.CancelledError:
                    self.idle = self.opened[-1] if self.opened else None
                    raise

            async def exchange(self, line):
                kept, self.idle = self.idle, None
                if kept is None:
                    kept = await asyncio.open_connection(*self.at, limit=1 << 20)
                    self.opened.append(kept)
                reader, writer = kept
                writer.write(line)
                return await reader.readline()

            async def close(self):
                for _, writer in self.opened:
                    writer.close()
            """,
        "a write that nobody waits for is undone by a delete": """
            async def write(self, path, value, *, expect=None):
                try:
                    return await super().write(path, value, expect=expect)
                except asyncio.CancelledError:
                    await self.delete(path)
                    raise
            """,
    },
}
"""Over the store on a network, which can be made to fail."""
