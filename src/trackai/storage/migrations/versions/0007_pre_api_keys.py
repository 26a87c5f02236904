"""Keys with which a tenant's programs ask the API."""

from trackai.storage.migrations import downgrade, script_of

revision = "0007_pre_api_keys"
down_revision = "0006_pre_token_checks"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
