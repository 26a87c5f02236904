"""What ads cost, as their platform says it."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

# Meta's own bound of a name, in letters.
MOST_NAME = 400
# Campaign, ad set and ad are found by one index, whose entries have some 2,700 bytes in all.
MOST_KEY_BYTES = 2000


@dataclass(frozen=True, slots=True)
class AdAccount:
    """Where spend comes from: a tenant's account at an ad platform."""

    tenant_id: UUID
    platform: str
    account: str  # '' where a file names none


@dataclass(frozen=True, slots=True)
class AdDay:
    """What an ad cost on a day of its account's time zone; '' for what is not known.

    ValueError for what could not be stored.
    """

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

    def __post_init__(self) -> None:
        """ValueError for what no ad platform says, and storage does not take."""
        words = (*self.key[1:4], self.campaign, self.ad_set, self.ad)
        if any(len(word) > MOST_NAME for word in words):
            raise ValueError(f"a name or an id has more than {MOST_NAME} letters")
        if sum(len(word.encode("utf-8", "replace")) for word in words[:3]) > MOST_KEY_BYTES:
            raise ValueError("the names of campaign, ad set and ad are too long together")
        if any("\x00" in word for word in words):
            raise ValueError("a name holds a byte of zeros")
        if self.spent_minor < 0:
            raise ValueError("what was spent is negative")

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
