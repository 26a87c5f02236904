"""Tenants and what they connect: created, changed and looked up on behalf of people."""
