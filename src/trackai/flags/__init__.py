"""Feature flags: what is on for whom."""
