"""Secrets that are kept elsewhere and looked up when they are used."""
