"""Alarms: many incidents of a tenant are one call to its own routes, too."""

from trackai.storage.migrations import downgrade, script_of

revision = "0037_pre_own_calls"
down_revision = "0036_pre_smoke_tickets"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
