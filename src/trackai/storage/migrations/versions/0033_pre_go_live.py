"""What the go-live checklist rests on: smoke tests, baselines, drills, builds and sign-offs."""

from trackai.storage.migrations import downgrade, script_of

revision = "0033_pre_go_live"
down_revision = "0032_pre_flags"
upgrade = script_of(__file__)

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]
