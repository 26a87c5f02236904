"""Notice what is wrong, and call somebody: the catalogue, what is measured, rules, calls, drills."""
