"""The ways that people are told of alarms; each takes a message and says how it went."""
