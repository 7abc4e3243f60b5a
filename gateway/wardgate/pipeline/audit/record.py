"""What one line of the audit holds: allow-listed fields only, in a fixed order, chained by SHA-256."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Final

import msgspec

FORMAT: Final = 1
GENESIS: Final = bytes(32)
"""What the first record of a shard is chained to."""

MAX_LINE: Final = 16 * 1024 * 1024
_SEALED: Final = re.compile(rb',"hash":"[0-9a-f]{64}"}.', re.DOTALL)
_SECOND: Final = 1_000_000_000
_SEAL: Final = 75
"""Bytes of ``,"hash":"`` + 64 hexadecimal digits + ``"}``, the end of every line."""


class Item(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One item of a batch: its fields mean what a record's of the same name do."""

    path: str
    details: dict[str, str] | None = None
    code: str = ""
    policy: str = ""
    rule: int = -1
    value: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One record: one line of JSON, the fields in this order, those without a value left out.

    ``shard``: the worker's slot. ``boot``: random id of one run of that worker.
    ``time``: when the record was made; RFC 3339, UTC, nanoseconds.
    ``kind``: ``request`` (a change is about to be made), ``closing`` (an answer is about to leave), ``boot``, ``file``
    (the first of each file), ``summary`` (what was counted instead of written: denials of a ``source`` without a
    principal, or of a ``principal``; with ``code`` ``ok``, answers of the gateway's state to a ``source``; ``others``
    stands for all that were too many to tell apart); ``checkpoint`` is kept free.
    ``request``: the request's id. ``pair``: ties a closing record to its request record, and to the store's
    transaction. ``namespace``: its id. ``principal``, ``name``, ``accessor``, ``method``: who, and how that was proved.
    ``operation``, ``action``, ``path``, ``mount``, ``source``: what was asked, where, and from which address. A path
    longer than 512 bytes is cut: its first 256, ``…``, and the HMAC-SHA256 of the whole under a key of its own.
    ``details``: allow-listed facts of some operations, such as the versions asked for. ``items``: of a batch, in
    order, each with its own path, details, code, rule and value's HMAC.
    ``code``: ``ok``, the code of an error of the closed list, ``internal`` for a defect, ``cancelled`` when the client
    left before anything was done. ``duration``: microseconds since the request came.
    ``policy``, ``rule``: which rule allowed it. ``token``, ``value``: HMAC-SHA256 of the credential, and of the value
    written or read, under keys of this installation.
    ``recovered``: how a change that a crash had left open was found: ``committed``, ``absent`` or ``unknown``.
    ``count``, ``since``: of a summary. ``version``: of the gateway, in a boot record. ``cut``: bytes of a half-written
    line that were cut off at boot. ``format``, ``number``, ``previous``, ``removed``, ``open``, ``fault``: of a file
    record: this format's number, the file's number, the hash of the record before it, the highest number that
    retention removed, the request records still open, and why a new file was begun early. A boot record's ``previous``
    is the link to the boot before.
    ``sequence``: counts the records of a shard from 1, over files and boots. ``hash``: SHA-256 over the hash of the
    record before (32 bytes; zeros at the very first) and this line's bytes up to the comma in front of ``hash``.
    """

    shard: int
    boot: str
    time: str
    kind: str
    request: str = ""
    pair: str = ""
    namespace: str = ""
    principal: str = ""
    name: str = ""
    accessor: str = ""
    method: str = ""
    operation: str = ""
    action: str = ""
    path: str = ""
    mount: str = ""
    source: str = ""
    details: dict[str, str] | None = None
    items: tuple[msgspec.Raw, ...] = ()
    code: str = ""
    duration: int = 0
    policy: str = ""
    rule: int = -1
    token: str = ""
    value: str = ""
    recovered: str = ""
    count: int = 0
    since: str = ""
    version: str = ""
    cut: int = 0
    format: int = 0
    number: int = 0
    previous: str = ""
    removed: int = 0
    open: tuple[msgspec.Raw, ...] = ()
    fault: str = ""
    sequence: int = 0
    hash: str = ""


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Record).decode


class Broken(Exception):
    """A line that is not what the chain says must stand there; the message says what is wrong."""


class Chain:
    """The end of one shard's chain: the last sequence number and the last hash."""

    __slots__ = ("head", "sequence")

    def __init__(self, sequence: int = 0, head: bytes = GENESIS) -> None:
        self.sequence = sequence
        self.head = head

    def link(self, body: bytes) -> bytes:
        """The line for ``body``, an encoded record without sequence and hash; moves the chain on."""
        self.sequence += 1
        start = b'%b,"sequence":%d' % (body[:-1], self.sequence)
        digest = hashlib.sha256(self.head + start)
        self.head = digest.digest()
        return b'%b,"hash":"%b"}\n' % (start, digest.hexdigest().encode())

    def follow(self, line: bytes) -> Record:
        """Check that ``line`` continues the chain and read it. Raises Broken; the chain then stays where it was."""
        if not line.endswith(b'"}\n') or line[-_SEAL - 1 : -_SEAL + 8] != b',"hash":"':
            raise Broken("is not a record of this format")
        start = line[: -_SEAL - 1]
        digest = hashlib.sha256(self.head + start)
        record = read(line)
        if record.sequence != self.sequence + 1:
            raise Broken(f"has sequence {record.sequence} where {self.sequence + 1} must follow")
        if digest.hexdigest() != record.hash:
            raise Broken("does not match its hash: it, or what stood before it, was changed")
        self.sequence += 1
        self.head = digest.digest()
        return record


def read(line: bytes) -> Record:
    """Decode one line without checking its hash. Raises Broken."""
    try:
        return decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Broken("is not a record of this format") from None


def lines_of(file: FilePath) -> Iterator[bytes]:
    """The lines of a file with their ends; the last may lack its own, and so does a piece of ``MAX_LINE`` bytes."""
    with file.open("rb") as stream:
        while line := stream.readline(MAX_LINE):
            yield line


def half(line: bytes) -> bool:
    """Whether this can be what a crash left of a line: the beginning of one record, without the line's end."""
    return not line.endswith(b"\n") and len(line) < MAX_LINE and not _SEALED.search(line)


def body_of(line: bytes) -> bytes:
    """The record of a line without its sequence and hash: what was given to :meth:`Chain.link`."""
    return line[: line.rindex(b',"sequence":')] + b"}"


class Stamps:
    """Renders Unix nanoseconds as RFC 3339; the second's text is kept, because most records share it."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def __call__(self, now: int) -> str:
        """``2026-11-23T03:44:36.123456789Z``."""
        return self.encoded(now).decode()

    def encoded(self, now: int) -> bytes:
        """The same as bytes."""
        second, nanoseconds = divmod(now, _SECOND)
        if second != self._second:
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second)).encode()
            self._second = second
        return b"%b%09dZ" % (self._text, nanoseconds)
