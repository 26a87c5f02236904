"""Backups: which there are, and which were restored for a try."""

from trackai.storage.migrations import downgrade, script_of

revision = "0029_pre_backups"
down_revision = "0028_pre_alarms"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
