"""Since when all rows are there of a tenant who once kept them for less time than now."""

from trackai.storage.migrations import downgrade, script_of

revision = "0035_pre_rows_since"
down_revision = "0034_pre_spend_weeks"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
