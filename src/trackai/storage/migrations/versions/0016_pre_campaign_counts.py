"""Counts of what ads brought: clicks, sales, buyers, and the time from click to sale."""

from trackai.storage.migrations import downgrade, script_of

revision = "0016_pre_campaign_counts"
down_revision = "0015_pre_analytics_views"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
