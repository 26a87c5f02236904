"""Words of ads that name a person are none, however they are written; numbers of ads stay."""

from trackai.storage.migrations import downgrade, script_of

revision = "0022_pre_ad_words"
down_revision = "0021_pre_users"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
