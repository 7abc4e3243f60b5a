"""Backups: one archive of a data folder, taken while the gateway runs, and verified before it counts."""

from wardgate.backup.archive import Damaged, Manifest
from wardgate.backup.create import create
from wardgate.backup.examine import Findings
from wardgate.backup.restore import restore, verify

__all__ = ["Damaged", "Findings", "Manifest", "create", "restore", "verify"]
