"""Calls tell of changes, too: that another release runs."""

from trackai.storage.migrations import downgrade, script_of

revision = "0030_pre_changes"
down_revision = "0029_pre_spend_words"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
