"""Alarms: what processes measure, how alarms stand, their history, and calls to people."""

from trackai.storage.migrations import downgrade, script_of

revision = "0027_pre_alarms"
down_revision = "0024_pre_token_states"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
