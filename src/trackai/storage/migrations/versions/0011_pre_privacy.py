"""Requests of a person: who was erased, and what people may empty."""

from trackai.storage.migrations import downgrade, script_of

revision = "0011_pre_privacy"
down_revision = "0010_pre_match_quality"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
