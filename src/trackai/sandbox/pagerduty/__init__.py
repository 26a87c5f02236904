"""A strict local Events API of PagerDuty, and what its REST API says of who is on call."""

from trackai.sandbox.pagerduty.app import PagerDutySandbox

__all__ = ["PagerDutySandbox"]
