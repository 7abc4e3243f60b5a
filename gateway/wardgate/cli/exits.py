"""The exit codes, and which error of the closed list ends in which."""

from __future__ import annotations

OK = 0
FAILURE = 1
USAGE = 2
NOT_FOUND = 3
DENIED = 4
CONFLICT = 5
UNAVAILABLE = 6

MEANINGS = {
    OK: "done",
    FAILURE: "failed: a check did not pass, or the outcome is not known",
    USAGE: "wrong usage, configuration or input",
    NOT_FOUND: "not found, or deleted",
    DENIED: "no valid credential, or no policy or store allows it",
    CONFLICT: "it exists already, or another change came first",
    UNAVAILABLE: "the gateway or its store does not answer; try again later",
}

OF_CODE = {
    "secret_not_found": NOT_FOUND,
    "version_not_found": NOT_FOUND,
    "gone": NOT_FOUND,
    "already_exists": CONFLICT,
    "conflict": CONFLICT,
    "precondition_required": CONFLICT,
    "invalid_value": USAGE,
    "invalid_configuration": USAGE,
    "too_large": USAGE,
    "malformed": USAGE,
    "unsupported": USAGE,
    "permission_denied": DENIED,
    "unauthenticated": DENIED,
    "rate_limited": UNAVAILABLE,
    "unavailable": UNAVAILABLE,
    "outcome_unknown": FAILURE,
    "sealed": UNAVAILABLE,
}

HINTS = {
    "secret_not_found": "Check the name.",
    "version_not_found": "`wardgate history` shows the versions.",
    "gone": "`wardgate history` shows the versions; `wardgate undelete` recovers a deleted one.",
    "precondition_required": "Say which version you expect: --expect VERSION, or --create.",
    "unauthenticated": "Give a valid credential: a token by --token-file FILE, or WARDGATE_TOKEN in the environment.",
    "permission_denied": (
        "Ask an administrator for a policy; "
        "`wardgate policy explain ACTION PATH --policy NAME` says which rule decides."
    ),
    "outcome_unknown": "Look before you try again: the change may have happened.",
    "sealed": "Run `wardgate doctor` on the gateway's machine.",
}


def of(code: str) -> int:
    """The exit code for a code of the closed list; a failure for any other."""
    return OF_CODE.get(code, FAILURE)
