"""What a platform said of a token, as a word that pages translate, and what the token may do."""

from trackai.storage.migrations import downgrade, script_of

revision = "0024_pre_token_states"
down_revision = "0023_pre_second_factors"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
