"""Rejected webhooks: the newest are kept, and those without an address's key apart."""

from trackai.storage.migrations import downgrade, script_of

revision = "0002_pre_newest_rejections"
down_revision = "0001_pre_foundation"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
