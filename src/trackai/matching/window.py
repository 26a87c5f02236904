"""The attribution window: how far before a sale its click may lie, and how late it may come."""

import datetime as dt

from trackai.model.conversion import Conversion
from trackai.model.tenant import Funnel

# Platforms cut their times to the minute (Kiwify) and clocks differ: a click may seem to come this
# much after the sale that it led to.
SKEW = dt.timedelta(minutes=5)
# A sale without its click is looked at again after this, then after as long as it is known.
FIRST_LOOK = dt.timedelta(seconds=30)


def holds(
    clicked_at: dt.datetime,
    sold_at: dt.datetime,
    window: dt.timedelta,
    *,
    carried: bool,
    renewal: bool = False,
) -> bool:
    """Tell whether a click may be the origin of a sale.

    `carried`: our click id came back through the checkout, so the click was before the sale
    whatever the clocks say (a page that was offline reports it late). `renewal`: what a
    subscription's later charge carries is the click of its first, however long ago.
    """
    if carried and renewal:
        return True
    if clicked_at < sold_at - window:
        return False
    return carried or clicked_at <= sold_at + SKEW


def look_again_at(conversion: Conversion, funnel: Funnel, now: dt.datetime) -> dt.datetime | None:
    """Return when to look for a late click: less and less often, until the window is over."""
    later = now + max(FIRST_LOOK, now - conversion.first_seen_at)
    return later if later <= conversion.sold_at + funnel.attribution_window else None
