"""Meta Conversions API, by Meta's documentation of 2026, its SDK 26.0.3 and recorded answers."""
