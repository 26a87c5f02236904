"""Requests of a person: what is stored about somebody, and emptying it."""
