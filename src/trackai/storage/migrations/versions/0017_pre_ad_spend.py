"""What ads cost; and events found by their id."""

from trackai.storage.migrations import downgrade, script_of

revision = "0017_pre_ad_spend"
down_revision = "0016_pre_campaign_counts"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
