"""People who sign in: users, their tenants, sessions and one-time links."""

from trackai.storage.migrations import downgrade, script_of

revision = "0021_pre_users"
down_revision = "0020_pre_time_zones"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
