"""Damaged input for everything that reads what strangers send: `make fuzz SECONDS=600`."""
