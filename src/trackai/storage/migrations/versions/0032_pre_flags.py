"""Feature flags, and webhooks and events that wait until something is on again."""

from trackai.storage.migrations import downgrade, script_of

revision = "0032_pre_flags"
down_revision = "0031_pre_backups"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
