"""One sale as an event of Meta's Conversions API, ready to send, or the reason why it cannot be.

Meta refuses a whole request for one bad event, so everything it is known to refuse is refused
here first. An optional field of no use is left out and named; the event is never lost for it.
No external_id: the page would have to send the same one, and the only stable id a checkout knows
is a tax number, whose hash is undone by trying them all. No gender: no checkout asks for it.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from trackai.destinations.meta.click_ids import find_fbc, find_fbp
from trackai.destinations.meta.normalize import (
    Digests,
    country_code,
    hash_birth_date,
    hash_city,
    hash_country,
    hash_email,
    hash_name,
    hash_phone,
    hash_state,
    hash_zip,
)
from trackai.destinations.meta.quality import quality_of
from trackai.model.click import Visitor
from trackai.model.delivery import OutgoingEvent, Quality
from trackai.model.money import CURRENCIES
from trackai.model.notice import Buyer, Product

# Meta's bound for events of a website, less the time a request may take.
OLDEST = dt.timedelta(days=7) - dt.timedelta(minutes=1)
# A platform's time ahead of ours is a wrong zone or clock and becomes now; more is nonsense.
FARTHEST_AHEAD = dt.timedelta(days=1)

# Too little to find anybody by: Meta refuses an event with nothing beyond one of these sets.
_THIN = (
    frozenset(("ct", "country", "st", "zp", "ge", "client_user_agent")),
    frozenset(("db", "client_user_agent")),
    frozenset(("fn", "ge")),
    frozenset(("ln", "ge")),
)

# The many; what does not look so is tried as IPv6.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}", re.ASCII)

_NOBODY = Visitor()
# What people see in place of what identifies a buyer.
HIDDEN = "***"
# An address's query may hold what a page put there of its visitor.
_ADDRESSES = frozenset({"event_source_url", "referrer_url"})
_LARGEST_THIN = max(map(len, _THIN))

_ENCODER = msgspec.json.Encoder(decimal_format="number")

# The hashed keys in the order in which _user_data reads the buyer.
_HASHED: tuple[tuple[str, Callable[[str, str | None], Digests]], ...] = (
    ("em", hash_email),
    ("ph", hash_phone),
    ("fn", hash_name),
    ("ln", hash_name),
    ("ct", hash_city),
    ("st", hash_state),
    ("zp", hash_zip),
    ("country", hash_country),
)

UserData = dict[str, str | Sequence[str]]
CustomData = dict[str, object]


class UnsendableReason(StrEnum):
    """Why Meta would refuse an event; ends as a dead letter."""

    NAMELESS = "event_name_missing"
    TIME_INVALID = "event_time_invalid"  # without a zone, or more than a day ahead
    TOO_OLD = "event_too_old"  # more than seven days
    MONEY_MISSING = "money_missing"  # a Purchase needs value and currency
    MONEY_INVALID = "money_invalid"  # negative, or a currency that is not ISO 4217's
    USER_DATA_THIN = "user_data_thin"  # nothing to find the buyer by


class Built(NamedTuple):
    """An event as JSON, Meta's keys of what had to be left out, and how well it can be matched."""

    json: bytes
    dropped_fields: tuple[str, ...]
    quality: Quality


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Meta would refuse this event, whatever is repeated."""

    reason: UnsendableReason


def build_event(event: OutgoingEvent, now: dt.datetime) -> Built | Unsendable:
    """Build the event; `now` is the time of sending."""
    reason = _refusal(event, now)
    if reason is not None:
        return Unsendable(reason)
    dropped: list[str] = []
    user = _user_data(event, now.year, dropped)
    if is_thin(user.keys()):
        return Unsendable(UnsendableReason.USER_DATA_THIN)
    body = _body(event, user, now, dropped)
    return Built(_encode(body), tuple(dropped), quality_of(tuple(user)))


def show_event(event: OutgoingEvent, keys: Iterable[str]) -> str:
    """Return the event's JSON as people may see it: no value of user_data, no address's query."""
    body = _body(event, dict.fromkeys(keys, HIDDEN), event.event_time, [])
    for name in _ADDRESSES.intersection(body):
        body[name] = str(body[name]).partition("?")[0].partition("#")[0]
    return msgspec.json.format(_encode(body), indent=2).decode()


def _body(
    event: OutgoingEvent, user: UserData, now: dt.datetime, dropped: list[str]
) -> dict[str, object]:
    body: dict[str, object] = {
        "event_name": event.event_name,
        "event_time": int(min(event.event_time, now).timestamp()),
        "event_id": event.event_id,
        "action_source": "website",
        "user_data": user,
        "custom_data": _custom_data(event, dropped),
    }
    # Meta wants an address for every website event: the ad's landing page, or where it was paid.
    landing = event.click.page_url if event.click else None
    _put_address(body, "event_source_url", landing or event.tracking.checkout_url, dropped)
    if event.click is not None:
        _put_address(body, "referrer_url", event.click.referrer, dropped)
    return body


def encode_batch(events: Iterable[bytes], test_event_code: str | None) -> bytes:
    """Return the request's body for events that were built."""
    code = b',"test_event_code":' + _encode(test_event_code) if test_event_code else b""
    return b'{"data":[' + b",".join(events) + b"]" + code + b"}"


def is_thin(keys: AbstractSet[str]) -> bool:
    """Tell whether Meta refuses an event with no more user_data keys than these."""
    return len(keys) <= _LARGEST_THIN and any(keys <= thin for thin in _THIN)


def _refusal(event: OutgoingEvent, now: dt.datetime) -> UnsendableReason | None:
    if not event.event_name.strip():
        return UnsendableReason.NAMELESS
    if event.event_time.tzinfo is None or event.event_time - now > FARTHEST_AHEAD:
        return UnsendableReason.TIME_INVALID
    if now - event.event_time > OLDEST:
        return UnsendableReason.TOO_OLD
    if event.money is None:
        is_purchase = event.event_name == "Purchase"
        return UnsendableReason.MONEY_MISSING if is_purchase else None
    if event.money.amount_minor < 0 or event.money.currency not in CURRENCIES:
        return UnsendableReason.MONEY_INVALID
    return None


def _user_data(event: OutgoingEvent, year: int, dropped: list[str]) -> UserData:
    buyer = event.buyer
    country = country_code(buyer.country) if buyer.country else None
    first, last = buyer.first_name, buyer.last_name
    if buyer.full_name and not (first and last):
        first, last = _complete_names(first, last, buyer.full_name)
    raws = (
        buyer.email,
        buyer.phone,
        first,
        last,
        buyer.city,
        buyer.state,
        buyer.zip_code,
        buyer.country,
    )
    user: UserData = {}
    for (key, digests_of), raw in zip(_HASHED, raws, strict=True):
        if raw:
            values = digests_of(raw, country)
            if values:
                user[key] = values
            elif not raw.isspace():
                dropped.append(key)
    _put_birth_date(user, buyer, country, year, dropped)
    _put_browser(user, event, dropped)
    return user


def _complete_names(first: str | None, last: str | None, whole: str) -> tuple[str, str]:
    """Take from the full name what is missing; all words behind the first name are the last."""
    given, whole = (first or "").strip(), whole.strip()
    head, _, tail = whole.partition(" ")
    if given:
        begins = whole.lower().startswith(f"{given.lower()} ")
        tail = whole[len(given) :] if begins else ""
    return given or head, last or tail


def _put_birth_date(
    user: UserData, buyer: Buyer, country: str | None, year: int, dropped: list[str]
) -> None:
    if not buyer.birth_date:
        return
    values = hash_birth_date(buyer.birth_date, country, year)
    if values:
        user["db"] = values
    elif not buyer.birth_date.isspace():
        dropped.append("db")


def _put_browser(user: UserData, event: OutgoingEvent, dropped: list[str]) -> None:
    """Put what identifies the browser: the landing page's, else the checkout's; in clear."""
    click = event.click
    visitor = click.visitor if click else _NOBODY
    address = visitor.client_ip or event.buyer.client_ip
    agent = visitor.user_agent or event.buyer.user_agent
    if address:
        if _is_address(address):
            user["client_ip_address"] = address
        else:
            dropped.append("client_ip_address")
    if agent:
        user["client_user_agent"] = agent
    for key, identifier in (
        ("fbc", find_fbc(click, event.tracking, event.event_time)),
        ("fbp", find_fbp(click, event.tracking)),
    ):
        if identifier:
            user[key] = identifier
        elif identifier is not None:
            dropped.append(key)


def _custom_data(event: OutgoingEvent, dropped: list[str]) -> CustomData:
    custom: CustomData = {"order_id": event.transaction}
    value = event.money.major() if event.money else None
    if event.money is not None:
        custom["value"] = value
        custom["currency"] = event.money.currency
    if event.product.name:
        custom["content_name"] = event.product.name
    if event.product.product_id:
        _put_contents(custom, event.product, value, dropped)
    return custom


def _put_contents(
    custom: CustomData, product: Product, value: Decimal | None, dropped: list[str]
) -> None:
    identifier = product.product_id or ""
    content: CustomData = {"id": identifier}
    custom["content_ids"] = (identifier,)
    custom["content_type"] = "product"
    custom["contents"] = (content,)
    if product.quantity < 1:
        dropped.append("num_items")
        return
    content["quantity"] = custom["num_items"] = product.quantity
    # The platforms say what was paid, not the price of a piece.
    if product.quantity == 1 and value is not None:
        content["item_price"] = value


def _put_address(
    body: dict[str, object], key: str, address: str | None, dropped: list[str]
) -> None:
    if not address:
        return
    if address.startswith(("https://", "http://")):
        body[key] = address
    else:
        dropped.append(key)


def _is_address(text: str) -> bool:
    if _IPV4.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _encode(body: object) -> bytes:
    try:
        return _ENCODER.encode(body)
    except UnicodeEncodeError:
        return _ENCODER.encode(_without_surrogates(body))


def _without_surrogates(value: object) -> object:
    """Return the same without lone surrogates, which JSON cannot carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "ignore").decode()
    if isinstance(value, dict):
        return {key: _without_surrogates(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_without_surrogates(part) for part in value)
    return value
