"""Minutes are kept for 49 hours."""

from trackai.storage.migrations import downgrade, script_of

revision = "0025_pre_minutes_kept"
down_revision = "0024_pre_token_states"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
