"""What made-up ads cost: about half of what they bring. Pure."""

import datetime as dt
import random
from collections.abc import Iterator

from trackai.model.ad_spend import AdDay
from trackai.sandbox.load.shape import PRICES_MINOR, TRIES_A_SALE, Ad, Shop

SHARE_OF_SALES = 0.5
_PRICE = sum(PRICES_MINOR) / len(PRICES_MINOR)


def spent_on(shop: Shop, day: dt.date, *, attempts: int, seed: int) -> Iterator[AdDay]:
    """Yield what each ad cost on a day of so many tries; those that bring most cost most."""
    chance = random.Random(f"{seed} {shop.tenant_id} {day} spent")  # noqa: S311 - repeatable
    weights = [1 / (1 + place) * chance.uniform(0.7, 1.3) for place in range(len(shop.ads))]
    total = attempts / TRIES_A_SALE * _PRICE * SHARE_OF_SALES
    for ad, weight in zip(shop.ads, weights, strict=True):
        yield _day(ad, day, round(total * weight / sum(weights)))


def _day(ad: Ad, day: dt.date, minor: int) -> AdDay:
    campaign, _, campaign_id = ad.campaign.partition("|")
    ad_set, _, ad_set_id = ad.medium.partition("|")
    name, _, ad_id = ad.content.partition("|")
    return AdDay(
        *(day, campaign_id, campaign, ad_set_id, ad_set, ad_id, name, "BRL", minor),
        impressions=minor // 3,
        clicks=minor // 150,
    )
