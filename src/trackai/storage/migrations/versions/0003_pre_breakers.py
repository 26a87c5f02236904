"""Circuit breakers, tries that count, and a queue that is claimed destination by destination."""

from trackai.storage.migrations import downgrade, script_of

revision = "0003_pre_breakers"
down_revision = "0002_pre_newest_rejections"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
