"""Cakto: an event and its data, the webhook's secret in the body."""
