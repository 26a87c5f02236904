"""What other programs that watch are given, rendered from the catalogue of alarms."""
