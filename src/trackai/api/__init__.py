"""HTTP for people, programs of theirs and dashboards: one tenant's things, by an API key."""
