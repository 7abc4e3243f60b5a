"""Mounts: how a backend is opened at a prefix, guarded and probed, and the table that a request is looked up in."""

from wardgate.mounts.table import Mount, MountRow, Mounts, OpenMounts

__all__ = ["Mount", "MountRow", "Mounts", "OpenMounts"]
