"""What remains of an erased person's sale: its facts, so that counts stay, and nobody's name."""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from trackai.model.conversion import Conversion
from trackai.model.notice import Buyer, Notice, Said, Tracking
from trackai.privacy.mentions import has_address_or_digest, keys_in
from trackai.privacy.person import buyer_keys

NOBODY = Buyer()


def said_by_nobody(said: Said) -> Said:
    """Return what a receipt said, of nobody."""
    return replace(said, notice=notice_of_nobody(said.notice))


def notice_of_nobody(notice: Notice) -> Notice:
    """Return the notice without its buyer and without what leads to their browser."""
    tracking = tracking_of_nobody(notice.tracking, buyer_keys(notice.buyer))
    return replace(notice, buyer=NOBODY, tracking=tracking)


def sale_of_nobody(conversion: Conversion) -> Conversion:
    """Return the sale without its buyer."""
    tracking = tracking_of_nobody(conversion.tracking, buyer_keys(conversion.buyer))
    return replace(conversion, buyer=NOBODY, tracking=tracking)


def tracking_of_nobody(tracking: Tracking, keys: AbstractSet[bytes]) -> Tracking:
    """Return the campaign alone."""
    return Tracking(
        utm_source=campaign(tracking.utm_source, keys),
        utm_medium=campaign(tracking.utm_medium, keys),
        utm_campaign=campaign(tracking.utm_campaign, keys),
        utm_content=campaign(tracking.utm_content, keys),
        utm_term=campaign(tracking.utm_term, keys),
    )


def campaign(utm: str | None, keys: AbstractSet[bytes]) -> str | None:
    """Return a campaign parameter unless it holds an address, a hash, or names the person.

    Sales are counted by it; and mailing tools put their readers' addresses into it.
    """
    if utm is None or has_address_or_digest(utm) or not keys.isdisjoint(keys_in(utm)):
        return None
    return utm
