"""Foundation: tenants, the edge's tables, conversions, matches, deliveries, roles and policies."""

from trackai.storage.migrations import downgrade, script_of

revision = "0001_pre_foundation"
down_revision = None
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
