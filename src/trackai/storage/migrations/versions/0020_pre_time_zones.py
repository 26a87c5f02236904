"""A tenant's time zone can change; its days are then counted again."""

from trackai.storage.migrations import downgrade, script_of

revision = "0020_pre_time_zones"
down_revision = "0019_pre_totals"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
