"""A second factor: what waits for its first code, recovery codes, and sign-ins half done."""

from trackai.storage.migrations import downgrade, script_of

revision = "0023_pre_second_factors"
down_revision = "0022_pre_ad_words"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
