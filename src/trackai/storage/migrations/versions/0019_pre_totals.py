"""What most questions ask is one row a bucket."""

from trackai.storage.migrations import downgrade, script_of

revision = "0019_pre_totals"
down_revision = "0018_pre_weeks"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
