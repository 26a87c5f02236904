"""A strict local Events API of PagerDuty."""

from trackai.sandbox.pagerduty.app import PagerDutySandbox

__all__ = ["PagerDutySandbox"]
