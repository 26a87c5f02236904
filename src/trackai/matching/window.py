"""The attribution window: how far before a sale its click may lie."""

import datetime as dt

# Platforms cut their times to the minute (Kiwify) and clocks differ: a click may seem to come this
# much after the sale that it led to.
SKEW = dt.timedelta(minutes=5)


def holds(
    clicked_at: dt.datetime,
    sold_at: dt.datetime,
    window: dt.timedelta,
    *,
    carried: bool,
) -> bool:
    """Tell whether a click may be the origin of a sale.

    `carried`: our click id came back through the checkout, so the click was before the sale
    whatever the clocks say (a page that was offline reports it late).
    """
    if clicked_at < sold_at - window:
        return False
    return carried or clicked_at <= sold_at + SKEW
