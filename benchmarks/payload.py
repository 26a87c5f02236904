"""Building Conversions API bodies: this product against Meta's own SDK, on one core.

Both start from the same 1000 Purchases as the dispatcher has them (ten user_data fields, one
item: a sale here has one) and end with the JSON body of one request; what both say is compared
once before anything is measured. Names and places repeat as they do among buyers of one country.
The SDK's way is the one its documentation shows: UserData, CustomData and Event objects, and
EventRequest's normalization. A ratio is taken within each round, so that a noisy machine slows
both; the figure is the median of the rounds.
"""

import datetime as dt
import json
import statistics
import time
import uuid
from collections.abc import Callable, Sequence

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData

from trackai.destinations.meta.payload import Built, build_event, encode_batch
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.delivery import OutgoingEvent
from trackai.model.match import ClickCandidate
from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking

EVENTS = 1000
ROUNDS = 15
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
USER_AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
PLACES = (
    ("Curitiba", "PR", "80010000"),
    ("Salvador", "BA", "40020000"),
    ("Campinas", "SP", "13010000"),
    ("Manaus", "AM", "69005000"),
    ("Recife", "PE", "50010000"),
)


def run() -> dict[str, float]:
    """Measure and print; return the figure."""
    sales = [_sale(number) for number in range(EVENTS)]
    _check_parity(sales)
    ratios, ours, theirs = [], [], []
    for _ in range(ROUNDS):
        ours.append(_seconds(_with_trackai, sales))
        theirs.append(_seconds(_with_sdk, sales))
        ratios.append(theirs[-1] / ours[-1])
    print(f"{'payload':<16}{'events/s':>12}")
    print(f"{'Track AI':<16}{EVENTS / statistics.median(ours):>12,.0f}")
    print(f"{'facebook SDK':<16}{EVENTS / statistics.median(theirs):>12,.0f}")
    low, *_, high = statistics.quantiles(ratios, n=10)
    ratio = statistics.median(ratios)
    print(f"{'ratio':<16}{ratio:>12.2f}  (p10 {low:.2f}, p90 {high:.2f}, {ROUNDS} rounds)")
    return {"payload_vs_sdk": ratio}


def _sale(number: int) -> OutgoingEvent:
    city, state, zip_code = PLACES[number % len(PLACES)]
    return OutgoingEvent(
        delivery_id=uuid.UUID(int=number),
        event_name="Purchase",
        event_id=f"hotmart:HP{number:010}",
        event_time=NOW,
        gateway="hotmart",
        transaction=f"HP{number:010}",
        money=Money(4990 + number, "BRL"),
        product=Product("788921", "Curso de fotografia", 1),
        buyer=Buyer(
            email=f"Cliente.{number}@Exemplo.com.br",
            phone=f"+55 (41) 9{number:04}-{number * 7 % 10000:04}",
            first_name=f"Nome{number % 700}",
            last_name=f"Sobrenome{number % 900}",
            city=city,
            state=state,
            zip_code=zip_code,
            country="BR",
        ),
        tracking=Tracking(),
        click=ClickCandidate(
            click_id=f"c{number}",
            clicked_at=NOW,
            ads=AdIdentifiers(),
            visitor=Visitor(f"177.{number % 200}.{number % 250}.{number % 240}", USER_AGENT),
            page_url="https://exemplo.com.br/curso",
            referrer=None,
        ),
    )


def _with_trackai(sales: Sequence[OutgoingEvent]) -> bytes:
    built = [build_event(sale, NOW) for sale in sales]
    return encode_batch([one.json for one in built if isinstance(one, Built)], None)


def _with_sdk(sales: Sequence[OutgoingEvent]) -> bytes:
    request = EventRequest(pixel_id="1", events=[_event(sale) for sale in sales])
    return json.dumps({"data": [event.normalize() for event in request.events]}).encode()


def _event(sale: OutgoingEvent) -> Event:
    assert sale.money is not None
    assert sale.click is not None
    value = sale.money.amount_minor / 100
    return Event(
        event_name=sale.event_name,
        event_time=int(sale.event_time.timestamp()),
        event_id=sale.event_id,
        event_source_url=sale.click.page_url,
        action_source=ActionSource.WEBSITE,
        user_data=UserData(
            email=sale.buyer.email,
            phone=sale.buyer.phone,
            first_name=sale.buyer.first_name,
            last_name=sale.buyer.last_name,
            city=sale.buyer.city,
            state=sale.buyer.state,
            zip_code=sale.buyer.zip_code,
            country_code=sale.buyer.country,
            client_ip_address=sale.click.visitor.client_ip,
            client_user_agent=sale.click.visitor.user_agent,
        ),
        custom_data=CustomData(
            value=value,
            currency=sale.money.currency,
            order_id=sale.transaction,
            content_ids=[sale.product.product_id],
            content_name=sale.product.name,
            content_type="product",
            contents=[Content(sale.product.product_id, sale.product.quantity, value)],
            num_items=sale.product.quantity,
        ),
    )


def _check_parity(sales: Sequence[OutgoingEvent]) -> None:
    ours, theirs = json.loads(_with_trackai(sales)), json.loads(_with_sdk(sales))
    for one, other in zip(ours["data"], theirs["data"], strict=True):
        other["custom_data"]["currency"] = other["custom_data"]["currency"].upper()
        assert one == other, (one, other)


def _seconds(
    build: Callable[[Sequence[OutgoingEvent]], bytes], sales: Sequence[OutgoingEvent]
) -> float:
    started = time.perf_counter()
    build(sales)
    return time.perf_counter() - started


if __name__ == "__main__":
    run()
