"""People may end what a destination is owed."""

from trackai.storage.migrations import downgrade, script_of

revision = "0009_pre_disconnect"
down_revision = "0008_pre_attribution"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
