"""Where one can go: the pages of a tenant, in the order of the menu."""

from dataclasses import dataclass

from trackai.model.access import Permission


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu; its words are `menu.<name>`."""

    name: str
    path: str
    permission: Permission = Permission.SEE
    operators_only: bool = False  # for whoever runs the installation


PLACES = (
    Place("home", "/"),
    Place("live", "/live"),
    Place("conversions", "/conversions"),
    Place("campaigns", "/campaigns"),
    Place("events", "/events"),
    Place("match_rate", "/match-rate"),
    Place("performance", "/performance"),
    Place("failures", "/failures"),
    Place("alarms", "/alarms"),
    Place("funnels", "/funnels"),
    Place("connections", "/connections"),
    Place("flags", "/flags"),
    Place("settings", "/settings"),
    Place("team", "/team", Permission.MANAGE),
    Place("keys", "/keys", Permission.MANAGE),
    Place("privacy", "/privacy", Permission.MANAGE),
    Place("audit", "/audit", Permission.MANAGE),
    Place("go_live", "/go-live", operators_only=True),
)
