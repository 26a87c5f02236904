"""Dead letters: replayed and discarded, by whom and how far; the audit log."""

from trackai.storage.migrations import downgrade, script_of

revision = "0005_pre_dead_letters"
down_revision = "0004_post_ready_index"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
