"""Backups: made, kept for a while, restored for a try, and restored in earnest."""
