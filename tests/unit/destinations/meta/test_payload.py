import dataclasses
import datetime as dt
import json
import uuid
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.user_data import UserData
from hypothesis import given
from hypothesis import strategies as st

from trackai.destinations.meta.payload import (
    HIDDEN,
    Built,
    Unsendable,
    UnsendableReason,
    build_event,
    encode_batch,
    is_thin,
    show_event,
)
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.delivery import OutgoingEvent
from trackai.model.match import ClickCandidate
from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
AGENT = "Mozilla/5.0 (Linux; Android 14)"
BUYER = Buyer(
    email=" Joao.Silva@Exemplo.com.br",
    phone="+55 (41) 98765-4321",
    first_name="João",
    last_name="Silva",
    city="Curitiba",
    state="PR",
    zip_code="80010000",
    country="BR",
)
CLICK = ClickCandidate(
    click_id="c1",
    clicked_at=NOW - dt.timedelta(hours=3),
    ads=AdIdentifiers(fbclid="IwAR_AbC", fbp="fb.1.1596403881668.1116446470"),
    visitor=Visitor("177.10.20.30", AGENT),
    page_url="https://exemplo.com.br/curso",
    referrer="https://l.instagram.com/",
)


def sale(**changes: Any) -> OutgoingEvent:
    values: dict[str, Any] = {
        "delivery_id": uuid.UUID(int=1),
        "event_name": "Purchase",
        "event_id": "hotmart:HP17715690036014",
        "event_time": NOW - dt.timedelta(minutes=1),
        "gateway": "hotmart",
        "transaction": "HP17715690036014",
        "money": Money(19700, "BRL"),
        "product": Product("788921", "Curso de fotografia", 1),
        "buyer": BUYER,
        "tracking": Tracking(),
        "click": CLICK,
    }
    return OutgoingEvent(**(values | changes))


def built(**changes: Any) -> Built:
    result = build_event(sale(**changes), NOW)
    assert isinstance(result, Built)
    return result


def event(**changes: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(built(**changes).json, parse_float=Decimal)
    return parsed


def user(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = event(**changes)["user_data"]
    return data


def buyer(**changes: Any) -> Buyer:
    return dataclasses.replace(BUYER, **changes)


def click(**changes: Any) -> ClickCandidate:
    return dataclasses.replace(CLICK, **changes)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def refusal(**changes: Any) -> UnsendableReason:
    result = build_event(sale(**changes), NOW)
    assert isinstance(result, Unsendable)
    return result.reason


def comparable(one: dict[str, Any]) -> dict[str, Any]:
    """The SDK orders lists by chance and writes currencies in lower case."""
    one["user_data"] = {
        key: set(value) if isinstance(value, list) else value
        for key, value in one["user_data"].items()
    }
    one["custom_data"]["currency"] = one["custom_data"]["currency"].upper()
    return one


def test_a_typical_sale_says_what_metas_own_sdk_says() -> None:
    sdk = Event(
        event_name="Purchase",
        event_time=int(NOW.timestamp()) - 60,
        event_id="hotmart:HP17715690036014",
        event_source_url="https://exemplo.com.br/curso",
        referrer_url="https://l.instagram.com/",
        action_source=ActionSource.WEBSITE,
        user_data=UserData(
            email=BUYER.email,
            phone=BUYER.phone,
            first_name=BUYER.first_name,
            last_name=BUYER.last_name,
            city=BUYER.city,
            state=BUYER.state,
            zip_code=BUYER.zip_code,
            country_code=BUYER.country,
            client_ip_address="177.10.20.30",
            client_user_agent=AGENT,
            fbc=f"fb.1.{int(CLICK.clicked_at.timestamp() * 1000)}.IwAR_AbC",
            fbp="fb.1.1596403881668.1116446470",
        ),
        custom_data=CustomData(
            value=197.0,
            currency="BRL",
            order_id="HP17715690036014",
            content_ids=["788921"],
            content_name="Curso de fotografia",
            content_type="product",
            contents=[Content(product_id="788921", quantity=1, item_price=197.0)],
            num_items=1,
        ),
    )

    assert comparable(sdk.normalize()) == comparable(json.loads(built().json))


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(19700, "BRL"), b'"value":197.00,'),
        (Money(1010, "BRL"), b'"value":10.10,'),
        (Money(1, "BRL"), b'"value":0.01,'),
        (Money(0, "BRL"), b'"value":0.00,'),
        (Money(1500, "JPY"), b'"value":1500,'),
        (Money(1234, "KWD"), b'"value":1.234,'),
        (Money(10**15, "BRL"), b'"value":10000000000000.00,'),
    ],
)
def test_value_is_an_exact_number_with_the_currencys_decimals(money: Money, written: bytes) -> None:
    assert written in built(money=money).json


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"event_time": NOW - dt.timedelta(days=7)}, UnsendableReason.TOO_OLD),
        ({"event_time": NOW + dt.timedelta(days=2)}, UnsendableReason.TIME_INVALID),
        ({"event_time": NOW.replace(tzinfo=None)}, UnsendableReason.TIME_INVALID),
        ({"event_name": " "}, UnsendableReason.NAMELESS),
        ({"money": None}, UnsendableReason.MONEY_MISSING),
        ({"money": Money(-1, "BRL")}, UnsendableReason.MONEY_INVALID),
        ({"money": Money(100, "XYZ")}, UnsendableReason.MONEY_INVALID),
        ({"buyer": Buyer(), "click": None}, UnsendableReason.USER_DATA_THIN),
        ({"buyer": Buyer(email="none"), "click": None}, UnsendableReason.USER_DATA_THIN),
        (
            {"buyer": Buyer(city="Recife", state="PE", user_agent=AGENT), "click": None},
            UnsendableReason.USER_DATA_THIN,
        ),
    ],
)
def test_what_meta_would_refuse_is_refused_here(
    changes: dict[str, Any], expected: UnsendableReason
) -> None:
    assert expected == refusal(**changes)


@pytest.mark.parametrize(
    ("keys", "thin"),
    [
        (set(), True),
        ({"ct", "country", "st", "zp", "ge", "client_user_agent"}, True),
        ({"db", "client_user_agent"}, True),
        ({"fn", "ge"}, True),
        ({"ln", "ge"}, True),
        ({"fn", "ln"}, False),
        ({"db", "ct"}, False),
        ({"client_ip_address", "client_user_agent"}, False),
        ({"em"}, False),
    ],
)
def test_thin_is_what_metas_page_lists(keys: set[str], *, thin: bool) -> None:
    assert thin == is_thin(keys)


def test_only_a_purchase_needs_money() -> None:
    custom = event(event_name="Lead", money=None)["custom_data"]

    assert "value" not in custom
    assert "item_price" not in custom["contents"][0]


def test_a_time_slightly_ahead_becomes_now_and_six_days_are_kept() -> None:
    ahead = event(event_time=NOW + dt.timedelta(hours=3))
    old = event(event_time=NOW - dt.timedelta(days=6))

    assert int(NOW.timestamp()) == ahead["event_time"]
    assert int(NOW.timestamp()) - 6 * 86400 == old["event_time"]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("email", "em"),
        ("phone", "ph"),
        ("first_name", "fn"),
        ("city", "ct"),
        ("state", "st"),
        ("zip_code", "zp"),
        ("country", "country"),
        ("birth_date", "db"),
    ],
)
def test_a_field_of_no_use_is_dropped_and_named_and_the_event_goes(field: str, key: str) -> None:
    result = built(buyer=buyer(**{field: "?"}))

    assert key not in json.loads(result.json)["user_data"]
    assert result.dropped_fields == (key,)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_field_is_absent_and_not_counted_as_dropped(blank: str | None) -> None:
    result = built(buyer=buyer(city=blank, birth_date=blank))

    assert "ct" not in json.loads(result.json)["user_data"]
    assert result.dropped_fields == ()


def test_other_fields_of_no_use_are_dropped_and_named() -> None:
    result = built(
        click=click(
            ads=AdIdentifiers(fbc="fb.1.2", fbp="x"),
            visitor=Visitor("not an address", AGENT),
            page_url="exemplo.com.br",
            referrer="android-app://x",
        ),
        product=Product("1", "Curso", 0),
    )

    assert set(result.dropped_fields) == {
        "fbc",
        "fbp",
        "client_ip_address",
        "event_source_url",
        "referrer_url",
        "num_items",
    }


def test_birth_date_is_sent_with_the_countrys_order() -> None:
    assert [digest("19970302")] == user(buyer=buyer(birth_date="02/03/1997"))["db"]


@pytest.mark.parametrize(
    ("full_name", "first", "last"),
    [
        ("João da Silva", "joão", ["dasilva"]),
        ("  Ana  Souza ", "ana", ["souza"]),
        ("Pelé", "pelé", None),
    ],
)
def test_full_name_is_split_when_its_parts_are_missing(
    full_name: str, first: str, last: list[str] | None
) -> None:
    data = user(buyer=buyer(first_name=None, last_name=None, full_name=full_name))

    assert [digest(first)] == data["fn"]
    assert ([digest(name) for name in last] if last else None) == data.get("ln")


@pytest.mark.parametrize(
    ("first", "last", "full_name", "expected"),
    [
        ("Ana", None, "ANA de Souza", ("ana", "desouza")),
        ("Ana Maria", "", "Ana Maria Souza", ("anamaria", "souza")),
        (None, "Souza", "Ana Souza", ("ana", "souza")),
        ("Ana", "Souza", "Outro Nome", ("ana", "souza")),
        ("Ana", None, "Outro Nome", ("ana", None)),
        ("Ana", None, "Anabela Souza", ("ana", None)),
    ],
)
def test_a_missing_name_is_taken_from_a_full_name_that_fits(
    first: str | None, last: str | None, full_name: str, expected: tuple[str, str | None]
) -> None:
    data = user(buyer=buyer(first_name=first, last_name=last, full_name=full_name))
    names = [[digest(name)] if name else None for name in expected]

    assert names == [data.get("fn"), data.get("ln")]


def test_phone_without_country_code_is_the_buyers_countrys() -> None:
    american = buyer(country="United States", phone="650 555 1212")

    assert [digest("16505551212")] == user(buyer=american)["ph"]


def test_browser_of_the_click_goes_before_the_checkouts() -> None:
    checkout = buyer(client_ip="2001:db8::1", user_agent="checkout")
    both = user(buyer=checkout)
    alone = user(buyer=checkout, click=None)

    assert ("177.10.20.30", AGENT) == (both["client_ip_address"], both["client_user_agent"])
    assert ("2001:db8::1", "checkout") == (alone["client_ip_address"], alone["client_user_agent"])


def test_unmatched_sale_has_no_page_and_carries_the_checkouts_identifiers() -> None:
    tracking = Tracking(fbc="fb.1.1554763741205.IwAR", fbp="fb.1.1596403881668.7")
    one = event(click=None, tracking=tracking)

    assert one.keys().isdisjoint({"event_source_url", "referrer_url"})
    assert (tracking.fbc, tracking.fbp) == (one["user_data"]["fbc"], one["user_data"]["fbp"])


def test_price_of_a_piece_is_told_only_for_a_single_piece() -> None:
    content = event(product=Product("1", "Curso", 2))["custom_data"]["contents"][0]

    assert content == {"id": "1", "quantity": 2}


def test_product_without_id_has_no_contents() -> None:
    custom = event(product=Product(name="Curso"))["custom_data"]

    assert custom.keys() == {"order_id", "value", "currency", "content_name"}


def test_no_document_leaves_the_house() -> None:
    document = "529.982.247-25"
    body = built(buyer=buyer(document=document)).json.decode()

    assert document not in body
    assert digest("52998224725") not in body
    assert "external_id" not in body


def test_nothing_of_the_buyer_is_sent_in_clear() -> None:
    body = built().json.decode().lower()

    assert all(word not in body for word in ("silva", "98765", "curitiba", "80010000", "joão", "@"))


def test_batch_is_one_json_object_with_or_without_a_test_code() -> None:
    one = built().json

    assert json.loads(encode_batch([one, one], None)) == {"data": [json.loads(one)] * 2}
    assert json.loads(encode_batch([one], 'T"1'))["test_event_code"] == 'T"1'


def test_lone_surrogates_are_left_out() -> None:
    custom = event(product=Product("1", "Curso \ud83d"))["custom_data"]

    assert custom["content_name"] == "Curso "


def test_building_again_later_gives_the_same_event() -> None:
    later = build_event(sale(), NOW + dt.timedelta(hours=5))

    assert build_event(sale(), NOW) == later


@given(
    st.builds(Buyer, *[st.none() | st.text(st.characters(exclude_categories=()), max_size=20)] * 13)
)
def test_no_buyer_makes_it_fail_and_no_empty_value_is_hashed(anybody: Buyer) -> None:
    result = build_event(sale(buyer=anybody), NOW)

    assert isinstance(result, Built)
    assert digest("") not in result.json.decode()


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_any_text_from_a_click_or_product_can_be_sent(text: str) -> None:
    result = build_event(
        sale(
            click=click(
                ads=AdIdentifiers(fbclid=text, fbc=text, fbp=text),
                visitor=Visitor(text, text),
                page_url=f"https://exemplo.com/{text}",
            ),
            product=Product(text, text),
            tracking=Tracking(fbc=text, fbclid=text),
        ),
        NOW,
    )

    assert isinstance(result, Built)
    assert json.loads(result.json)


def test_what_people_see_of_an_event_is_what_is_sent_without_anybodys_data() -> None:
    click = dataclasses.replace(CLICK, page_url="https://exemplo.com.br/curso?email=a@b.co#x")
    event = sale(buyer=BUYER, click=click)
    built = build_event(event, NOW)
    assert isinstance(built, Built)
    sent = json.loads(built.json)
    shown = json.loads(show_event(event, built.quality.keys.split()))

    assert shown["event_source_url"] == "https://exemplo.com.br/curso"
    assert shown["user_data"] == dict.fromkeys(sent["user_data"], HIDDEN)
    hidden = ("user_data", "event_source_url")
    assert {key: one for key, one in shown.items() if key not in hidden} == {
        key: one for key, one in sent.items() if key not in hidden
    }
