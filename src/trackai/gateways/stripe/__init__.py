"""Stripe: events around sessions, payments and invoices, signed with a time."""
