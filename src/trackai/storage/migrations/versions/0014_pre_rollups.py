"""Counts by minute, hour and day that are kept by whatever changes what they count."""

from trackai.storage.migrations import downgrade, script_of

revision = "0014_pre_rollups"
down_revision = "0013_pre_retention"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
