"""What ads cost, as their platform says it."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AdAccount:
    """Where spend comes from: a tenant's account at an ad platform."""

    tenant_id: UUID
    platform: str
    account: str  # '' where a file names none


@dataclass(frozen=True, slots=True)
class AdDay:
    """What an ad cost on a day of its account's time zone; '' for what is not known."""

    day: dt.date
    campaign_id: str
    campaign: str
    ad_set_id: str
    ad_set: str
    ad_id: str
    ad: str
    currency: str
    spent_minor: int
    impressions: int | None = None
    clicks: int | None = None

    @property
    def key(self) -> tuple[dt.date, str, str, str, str]:
        """What is stored once: day, campaign, ad set and ad by id or else name, currency."""
        return (
            self.day,
            self.campaign_id or self.campaign,
            self.ad_set_id or self.ad_set,
            self.ad_id or self.ad,
            self.currency,
        )
