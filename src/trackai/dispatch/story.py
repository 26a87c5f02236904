"""One event with its tries, and what is sent of it, without anybody's data. Reads only.

The buyer is not opened: which of their data an event carried is noted when it is accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.destinations.registry import show_event
from trackai.errors import NotFound
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.delivery import OutgoingEvent
from trackai.model.match import ClickCandidate
from trackai.model.notice import Buyer, Product, Tracking
from trackai.storage import dispatch_attempts, events
from trackai.storage.conversions import money_of
from trackai.storage.pool import Row, Tx


@dataclass(frozen=True, slots=True)
class Story:
    """What became of an event."""

    event: Row
    tries: Sequence[Row]  # in order, at most 200
    payload: str | None  # as JSON; None where the destination does not show it


async def tell(tx: Tx, *, tenant_id: UUID, delivery_id: UUID) -> Story:
    """Return the story of an event; NotFound when the tenant has no such one."""
    row = await events.find_event(tx, tenant_id=tenant_id, delivery_id=delivery_id)
    if row is None:
        raise NotFound("The tenant has no such event.")
    tries = await dispatch_attempts.list_attempts(tx, tenant_id=tenant_id, delivery_id=delivery_id)
    # Noted with the try that was accepted.
    keys = next((one["match_keys"] for one in reversed(tries) if one["match_keys"]), "")
    return Story(row, tries, show_event(row["kind"], _outgoing(row), keys.split()))


def _outgoing(row: Row) -> OutgoingEvent:
    click = ClickCandidate(
        click_id=row["click_id"] or "",
        clicked_at=row["clicked_at"] or row["event_time"],
        ads=AdIdentifiers(),
        visitor=Visitor(),
        page_url=row["page_url"],
        referrer=row["referrer"],
    )
    return OutgoingEvent(
        delivery_id=row["id"],
        event_name=row["event_name"],
        event_id=row["event_id"],
        event_time=row["event_time"],
        gateway=row["gateway"],
        transaction=row["transaction"],
        money=money_of(row["amount_minor"], row["currency"]),
        product=Product(row["product_id"], row["product_name"], row["quantity"]),
        buyer=Buyer(),
        tracking=Tracking(checkout_url=row["checkout_url"]),
        click=click,
    )
