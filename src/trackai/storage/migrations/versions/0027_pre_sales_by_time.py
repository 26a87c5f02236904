"""Sales are listed by when they were made, page by page."""

from trackai.storage.migrations import downgrade, script_of

revision = "0027_pre_sales_by_time"
down_revision = "0026_pre_uptime"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
