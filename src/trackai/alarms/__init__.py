"""Notice what is wrong, and call somebody: the catalogue, measuring, rules, calls, drills."""
