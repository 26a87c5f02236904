"""Smoke tests by ticket: until when the account of one is kept."""

from trackai.storage.migrations import downgrade, script_of

revision = "0036_pre_smoke_tickets"
down_revision = "0035_pre_rows_since"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
