"""Partitions by how long a tenant keeps its rows; jobs that run when they are due."""

from trackai.storage.migrations import downgrade, script_of

revision = "0013_pre_retention"
down_revision = "0012_pre_tenant_keys"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
