"""Labels as tags: what AWS takes for a tag, and what a change comes to. The stores share it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from wardgate.spi.errors import InvalidValue, TooLarge

MAX_TAGS = 50
MAX_KEY = 128
MAX_TEXT = 256
_OWN = "aws:"
_TEXT = re.compile(r"[\w .:/=+@-]*")


def labels_of(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags that are somebody's: AWS sets some itself, and lets nobody change those."""
    told = {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags}
    return {key: text for key, text in told.items() if not key.lower().startswith(_OWN)}


def tags_of(labels: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """Labels as a request has them."""
    return [{"Key": key, "Value": text} for key, text in labels.items()]


def changes(
    held: Mapping[str, str], labels: Mapping[str, str | None], *, merge: bool
) -> tuple[list[str], dict[str, str]]:
    """The keys to take away and the tags to set, so that ``labels`` replace, or with ``merge`` change, those held.

    Raises:
        InvalidValue: a label that is no tag.
        TooLarge: a label that is too long, or too many of them.
    """
    given = {key: text for key, text in labels.items() if text is not None}
    for key, text in given.items():
        _check(key, text)
    gone = {key for key, text in labels.items() if text is None} if merge else held.keys() - given.keys()
    if len((held.keys() - gone) | given.keys()) > MAX_TAGS:
        raise TooLarge(f"the store keeps {MAX_TAGS} labels at most")
    new = {key: text for key, text in given.items() if held.get(key) != text}
    return sorted(gone & held.keys()), new


def _check(key: str, text: str) -> None:
    if not key or key.lower().startswith(_OWN) or not (_TEXT.fullmatch(key) and _TEXT.fullmatch(text)):
        raise InvalidValue(
            "a label in this store has letters, digits, spaces and '.:/=+@_-', and begins with no 'aws:'"
        )
    if len(key) > MAX_KEY or len(text) > MAX_TEXT:
        raise TooLarge(f"a label in this store has at most {MAX_KEY} characters, and its text {MAX_TEXT}")
