"""What becomes of a defect of the gateway's own: a line in the log that names the place, an error that says no more."""

from __future__ import annotations

import logging

from wardgate.context import Context
from wardgate.spi.errors import OutcomeUnknown, Unavailable, WardgateError, place_of

_log = logging.getLogger(__name__)


def of_request(context: Context, error: Exception) -> WardgateError:
    """What to raise in the place of ``error``, whose text may hold a value: of it only the place is logged."""
    told = {"event": "request_failed", "request": context.arrival.id}
    _log.error("a request failed with %s at %s", type(error).__name__, place_of(error), extra=told)
    if context.begun:
        return OutcomeUnknown("the gateway failed while making the change; its log names the place")
    return Unavailable("the gateway failed; its log names the place")


def of_item(context: Context, error: Exception) -> WardgateError:
    """The same of one item of a batch, whose others stand: noted for the audit, and logged once a batch."""
    told = context.defects[0] if context.defects else of_request(context, error)
    context.defects = (told,)
    return told
