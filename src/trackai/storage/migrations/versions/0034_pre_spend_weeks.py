"""What ads cost is added up by week, too."""

from trackai.storage.migrations import downgrade, script_of

revision = "0034_pre_spend_weeks"
down_revision = "0033_pre_go_live"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
