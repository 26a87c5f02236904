"""A strict local Graph API for conversion events."""

from trackai.sandbox.meta.app import MetaSandbox

__all__ = ["MetaSandbox"]
