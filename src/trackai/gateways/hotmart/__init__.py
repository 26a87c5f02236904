"""Hotmart, webhook 2.0.0: named events, a static token in a header."""
