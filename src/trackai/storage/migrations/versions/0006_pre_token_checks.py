"""What platforms said of the destinations' tokens, and when they are asked again."""

from trackai.storage.migrations import downgrade, script_of

revision = "0006_pre_token_checks"
down_revision = "0005_pre_dead_letters"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
