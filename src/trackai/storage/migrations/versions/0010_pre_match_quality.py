"""How well events can be matched at a destination."""

from trackai.storage.migrations import downgrade, script_of

revision = "0010_pre_match_quality"
down_revision = "0009_pre_disconnect"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
