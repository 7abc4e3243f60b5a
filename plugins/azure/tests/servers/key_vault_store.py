"""What the STAND-IN for an Azure Key Vault holds, and how it answers: ours, no product, for tests alone.

It answers in the wire shapes of Microsoft's Key Vault REST API 7.5 and 7.6. Each of its points is a test, with the page
of Microsoft's that it was held against: ``test_azure_stand_in.py``. What it cannot show stands in the plugin's README.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

VERSIONS = {"7.5", "7.6"}
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
RETENTION_DAYS = 90
MOST = 25
MAX_VALUE_BYTES = 25 * 1024
MAX_TAGS, MAX_TAG, MAX_TYPE = 15, 256, 255


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, inner: str | None = None, **headers: str) -> None:
        super().__init__(code)
        self.status, self.headers = status, headers
        error: dict[str, Any] = {"code": code, "message": f"STAND-IN: {inner or code}"}
        if inner is not None:
            error["innererror"] = {"code": inner}
        self.body: dict[str, Any] = {"error": error}


@dataclass
class Secret:
    """One secret: the bundles of its versions, oldest first, and what becomes of it."""

    name: str
    versions: list[dict[str, Any]] = field(default_factory=list)
    deleted: int | None = None
    purged: bool = False
    under_way: str = ""
    answers_left: int = 0

    def begin(self, what: str, answers: int) -> None:
        """Let this take so many answers: the inner code of those that refuse a change ends in ``what``."""
        self.under_way, self.answers_left = what, answers

    def check(self, method: str) -> None:
        """Answer as something that is under way, while it is."""
        if self.answers_left:
            self.answers_left -= 1
            raise Refused(404, "SecretNotFound") if method == "GET" else Refused(409, "Conflict", self.under_way)
        if self.purged:
            raise Refused(404, "SecretNotFound")


class Vault:
    """The secrets of one vault, by lower-case name.

    ``refuse`` makes a method fail, or one on a collection (``DELETE secrets``) or a path (``GET /secrets/n``); ``seen``
    keeps the requests.
    ``answers``: how many requests for a secret find its deletion, recovery or purge still under way.
    ``retention_days``: 0 for a vault of old that keeps nothing back.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.secrets: dict[str, Secret] = {}
        self.refuse: dict[str, Refused] = {}
        self.seen: list[tuple[str, str]] = []
        self.answers = 0
        self.retention_days = RETENTION_DAYS
        self.purge_protected = False

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """The status and the JSON of one request."""
        if query.get("api-version") not in VERSIONS:
            raise Refused(400, "BadParameter")
        match path.strip("/").split("/"):
            case ["deletedsecrets", *_] if not self.retention_days:
                raise Refused(400, "NotSupported")
            case ["secrets"] if method == "GET":
                live = (one for one in self._settled() if one.deleted is None)
                return 200, self._page(path, query, [_item(one.versions[-1], self._id(one.name)) for one in live])
            case ["deletedsecrets"] if method == "GET":
                gone = (one for one in self._settled() if one.deleted is not None)
                return 200, self._page(path, query, [self._deleted(one, self._id(one.name)) for one in gone])
            case ["secrets", name]:
                return self._secret(method, _checked(name), body)
            case ["secrets", name, "versions"] if method == "GET":
                known = self.secrets.get(_checked(name).lower())
                live_versions = known.versions if known is not None and known.deleted is None else []
                items = [_item(one, one["id"]) for one in sorted(live_versions, key=_version_of)]
                return 200, self._page(path, query, items)
            case ["secrets", name, version]:
                found = [one for one in self._live(method, _checked(name)).versions if _version_of(one) == version]
                return self._version(method, found, body)
            case ["deletedsecrets", name, *rest]:
                return self._of_deleted(method, _checked(name), rest)
        raise Refused(405, "MethodNotAllowed")

    def put(self, name: str, text: str, **more: Any) -> dict[str, Any]:
        """Set a secret, as another tool would: without the marks of the gateway."""
        return self._set(name, {"value": text, **more})

    def current(self, name: str) -> dict[str, Any] | None:
        """The newest version's bundle; None where there is no live one."""
        one = self.secrets.get(name.lower())
        return None if one is None or one.deleted is not None else one.versions[-1]

    def _secret(self, method: str, name: str, body: bytes) -> tuple[int, Any]:
        if method == "PUT":
            return 200, self._set(name, _object(body))
        one = self._live(method, name)
        if method != "DELETE":
            return self._version(method, one.versions[-1:], body)
        one.deleted = int(time.time())
        one.purged = not self.retention_days
        one.begin("ObjectIsBeingDeleted", self.answers)
        return 200, self._deleted(one, one.versions[-1]["id"])

    def _version(self, method: str, found: list[dict[str, Any]], body: bytes) -> tuple[int, Any]:
        if not found:
            raise Refused(404, "SecretNotFound")
        bundle = found[0]
        if method == "GET":
            return 200, _served(bundle)
        if method != "PATCH":
            raise Refused(405, "MethodNotAllowed")
        change = _object(body)
        if "tags" in change:
            bundle["tags"] = _tags(change["tags"])
        if "contentType" in change:
            bundle["contentType"] = _type(change["contentType"])
        bundle["attributes"] |= change.get("attributes", {}) | {"updated": int(time.time())}
        return 200, _item(bundle, bundle["id"])

    def _of_deleted(self, method: str, name: str, rest: list[str]) -> tuple[int, Any]:
        one = self.secrets.get(name.lower())
        if one is not None:
            one.check(method)
        if one is None or one.deleted is None:
            raise Refused(404, "SecretNotFound")
        newest = one.versions[-1]
        match method, rest:
            case "GET", []:
                return 200, self._deleted(one, newest["id"])
            case "DELETE", []:
                if self.purge_protected:
                    raise Refused(403, "Forbidden")
                one.purged = True
                one.begin("ObjectIsBeingDeleted", self.answers)
                return 204, None
            case "POST", ["recover"]:
                one.deleted = None
                one.begin("ObjectIsBeingRecovered", self.answers)
                return 200, _item(newest, newest["id"])
        raise Refused(405, "MethodNotAllowed")

    def _set(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        text = given.get("value")
        if not isinstance(text, str) or not text or len(text.encode()) > MAX_VALUE_BYTES:
            raise Refused(400, "BadParameter")
        known = self.secrets.get(name.lower())
        if known is not None and (known.answers_left or not known.purged):
            known.check("PUT")
            if known.deleted is not None:
                raise Refused(409, "Conflict", "ObjectIsDeletedButRecoverable")
        one = known if known is not None and not known.purged else Secret(name)
        now = int(time.time())
        attributes = {"enabled": True, "created": now, "updated": now, "recoverableDays": self.retention_days}
        bundle = {
            "value": text,
            "id": f"{self._id(one.name)}/{secrets.token_hex(16)}",
            "attributes": attributes | {"recoveryLevel": self._level()} | given.get("attributes", {}),
            "tags": _tags(given.get("tags") or {}),
        }
        if given.get("contentType") is not None:
            bundle["contentType"] = _type(given["contentType"])
        one.versions.append(bundle)
        self.secrets[name.lower()] = one
        return bundle

    def _level(self) -> str:
        if not self.retention_days:
            return "Purgeable"
        kind = "Recoverable" if self.retention_days == RETENTION_DAYS else "CustomizedRecoverable"
        return kind if self.purge_protected else f"{kind}+Purgeable"

    def _live(self, method: str, name: str) -> Secret:
        one = self.secrets.get(name.lower())
        if one is None or one.deleted is not None:
            raise Refused(404, "SecretNotFound")
        one.check(method)
        return one

    def _settled(self) -> list[Secret]:
        known = [self.secrets[name] for name in sorted(self.secrets)]
        return [one for one in known if not one.answers_left and not one.purged]

    def _id(self, name: str) -> str:
        return f"{self.base}/secrets/{name}"

    def _deleted(self, one: Secret, known_as: str) -> dict[str, Any]:
        if not self.retention_days:
            return _item(one.versions[-1], known_as)
        when = one.deleted or 0
        return _item(one.versions[-1], known_as) | {
            "recoveryId": f"{self.base}/deletedsecrets/{one.name}",
            "deletedDate": when,
            "scheduledPurgeDate": when + self.retention_days * 86_400,
        }

    def _page(self, path: str, query: Mapping[str, str], items: list[Any]) -> dict[str, Any]:
        size = int(query.get("maxresults", MOST))
        if not 1 <= size <= MOST:
            raise Refused(400, "BadParameter")
        start = int(base64.b64decode(query.get("$skiptoken", "") or b"MA=="))
        end = start + size
        token = quote(base64.b64encode(str(end).encode()))
        more = f"{self.base}{path}?api-version={query['api-version']}&$skiptoken={token}&maxresults={size}"
        return {"value": items[start:end], "nextLink": more if end < len(items) else None}


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Refused(400, "BadParameter")
    return name


def _object(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(400, "BadParameter")
    return given


def _type(said: str) -> str:
    if len(said) > MAX_TYPE:
        raise Refused(400, "BadParameter")
    return said


def _version_of(bundle: Mapping[str, Any]) -> str:
    return str(bundle["id"]).rsplit("/", 1)[1]


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS or any(len(part) > MAX_TAG for pair in tags.items() for part in pair):
        raise Refused(400, "BadParameter")
    return dict(tags)


def _item(bundle: Mapping[str, Any], known_as: str) -> dict[str, Any]:
    return {key: part for key, part in bundle.items() if key != "value"} | {"id": known_as}


def _served(bundle: dict[str, Any]) -> dict[str, Any]:
    if not bundle["attributes"]["enabled"]:
        raise Refused(403, "Forbidden", "SecretDisabled")
    return bundle
