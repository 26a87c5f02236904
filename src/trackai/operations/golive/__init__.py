"""Looks whether each item of the go-live checklist holds: one function an item."""
