"""The catalogue of alarms as other programs that watch want it: they evaluate it, not we."""
