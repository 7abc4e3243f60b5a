"""The audit: what was asked, by whom, and how it ended, on disk before the answer leaves."""

from wardgate.pipeline.audit.journal import Found, Journal, Resolve
from wardgate.pipeline.audit.layer import Audit
from wardgate.pipeline.audit.record import Record
from wardgate.pipeline.audit.shard import Settings
from wardgate.pipeline.audit.verify import Report, verify

__all__ = ["Audit", "Found", "Journal", "Record", "Report", "Resolve", "Settings", "verify"]
