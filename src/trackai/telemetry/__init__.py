"""Logs and metrics; knows nothing of what is logged or counted."""
