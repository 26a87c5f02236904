"""Pages for people: what they see of their tenant, and every job they have to do."""
