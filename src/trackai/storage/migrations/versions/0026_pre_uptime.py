"""Minutes in which the program did its work."""

from trackai.storage.migrations import downgrade, script_of

revision = "0026_pre_uptime"
down_revision = "0025_pre_minutes_kept"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
