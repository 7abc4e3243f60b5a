"""Why records cannot be written just now: a sentence for the callers, and one line in the log for the operator."""

from __future__ import annotations

import errno
import logging
from typing import Final

from wardgate.pipeline.audit.sink import FULL
from wardgate.spi.services import Clock

_log = logging.getLogger(__name__)

DISK_FULL: Final = "the audit's disk is full; free some space"
HANGING: Final = "the audit's disk does not answer; check the disk and the system's log"
UNCLEAR: Final = "the audit record could not be written; try again"
RETIRED: Final = "the audit can no longer be written; the gateway's log says why"

QUIET: Final = 5.0
"""Seconds without trouble before it counts as over: a disk that fails now and then does not fill the log."""


def sentence_for(error: OSError) -> str:
    """The cause and what to do, without a path."""
    if error.errno == errno.EDQUOT:
        return "the audit's quota on its disk is used up; free some space"
    if error.errno in FULL:
        return DISK_FULL
    return f"the audit cannot be written: {error.strerror or 'the system refused'}; check its folder and the disk"


class Trouble:
    """Logs when trouble begins and when it is over. Used in the journal's event loop."""

    def __init__(self, clock: Clock) -> None:
        self._monotonic = clock.monotonic
        self._told = False
        self._last = 0.0

    def heard(self, sentence: str) -> None:
        """What the newest batch met; empty when all went well."""
        if sentence:
            self._last = self._monotonic()
            if not self._told:
                told = {"event": "audit_unwritten"}
                _log.error("audit records cannot be written and requests are refused: %s", sentence, extra=told)
            self._told = True
        elif self._told and self._monotonic() - self._last >= QUIET:
            self._told = False
            _log.info("audit records are written again", extra={"event": "audit_written"})
