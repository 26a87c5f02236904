"""A small shop to try a funnel in: landing page, checkouts, and the platforms' webhooks."""

from trackai.sandbox.shop.app import Shop

__all__ = ["Shop"]
