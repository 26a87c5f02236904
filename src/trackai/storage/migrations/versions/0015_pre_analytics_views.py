"""Views of the rollups: by status, match rate, and the numbers of a day."""

from trackai.storage.migrations import downgrade, script_of

revision = "0015_pre_analytics_views"
down_revision = "0014_pre_rollups"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
