"""All the ways that there are."""

from collections.abc import Mapping

from trackai.alarms.ways.email import Email
from trackai.alarms.ways.pagerduty import PagerDuty
from trackai.alarms.ways.port import Way
from trackai.alarms.ways.slack import Slack
from trackai.alarms.ways.webhook import SignedWebhook
from trackai.destinations.http import Http
from trackai.mail.port import Mail
from trackai.model.alarm import RouteKind
from trackai.model.clock import Clock
from trackai.tracker.public_web import PublicWeb


def open_ways(
    http: Http, clock: Clock, mail: Mail | None, *, pagerduty_url: str, web: PublicWeb
) -> Mapping[RouteKind, Way]:
    """Return kind of route -> way."""
    return {
        RouteKind.PAGERDUTY: PagerDuty(http, pagerduty_url),
        RouteKind.EMAIL: Email(mail),
        RouteKind.WEBHOOK: SignedWebhook(web, clock),
        RouteKind.SLACK: Slack(web),
    }
