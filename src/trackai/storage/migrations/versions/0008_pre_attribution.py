"""Which click counts, renewals, late clicks, visitors."""

from trackai.storage.migrations import downgrade, script_of

revision = "0008_pre_attribution"
down_revision = "0007_pre_api_keys"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
