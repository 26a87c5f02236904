"""The tracker script that customers put on their pages."""
