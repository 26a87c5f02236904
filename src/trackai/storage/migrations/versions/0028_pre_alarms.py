"""Alarms: what processes measure, how alarms stand, their history, and calls to people."""

from trackai.storage.migrations import downgrade, script_of

revision = "0028_pre_alarms"
down_revision = "0027_pre_sales_by_time"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
