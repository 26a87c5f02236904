"""COUNT: numbers from rollups, and the proof that they equal what they count."""
