"""The catalogue as other engines of alarms want it; they evaluate it, nothing here does."""
