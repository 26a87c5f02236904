"""A key of its own for every tenant; tenants can be deleted."""

from trackai.storage.migrations import downgrade, script_of

revision = "0012_pre_tenant_keys"
down_revision = "0011_pre_privacy"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
