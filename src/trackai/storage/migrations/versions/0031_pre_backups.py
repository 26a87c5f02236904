"""Backups: which there are, and which were restored for a try."""

from trackai.storage.migrations import downgrade, script_of

revision = "0031_pre_backups"
down_revision = "0030_pre_changes"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
