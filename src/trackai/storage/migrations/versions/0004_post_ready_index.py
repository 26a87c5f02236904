"""The queue's index by time alone: nobody asks for it since the queue is claimed by destination."""

from trackai.storage.migrations import downgrade, script_of

revision = "0004_post_ready_index"
down_revision = "0003_pre_breakers"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
