"""Counts by week, too: three months are a dozen weeks and some days."""

from trackai.storage.migrations import downgrade, script_of

revision = "0018_pre_weeks"
down_revision = "0017_pre_ad_spend"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
