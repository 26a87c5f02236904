"""The release before this one, and this one, on one database: `make upgrade`."""
