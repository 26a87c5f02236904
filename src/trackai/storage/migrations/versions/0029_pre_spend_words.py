"""What ads cost is added up by one value an ad."""

from trackai.storage.migrations import downgrade, script_of

revision = "0029_pre_spend_words"
down_revision = "0028_pre_alarms"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
