"""What remains of an erased person's sale."""

import pytest

from trackai.model.money import Money
from trackai.model.notice import Buyer, Notice, NoticeStatus, Product, Tracking
from trackai.privacy.person import buyer_keys
from trackai.privacy.remains import campaign, notice_of_nobody

ANA = Buyer(email="ana@example.com", phone="11987654321", full_name="Ana", document="12345678909")
NOTICE = Notice(
    gateway="kiwify",
    transaction="T-1",
    status=NoticeStatus.APPROVED,
    event="order_approved",
    money=Money(100, "BRL"),
    product=Product("1", "Curso"),
    buyer=ANA,
    tracking=Tracking(
        click_ids=("c1",),
        fbc="fb.1.2.x",
        fbp="fb.1.2.3",
        fbclid="x",
        src="ana@example.com",
        sck="c1",
        utm_source="facebook",
        utm_campaign="Lançamento|120211234567890",
        utm_content="11987654321",
        utm_term="ana@example.com",
        checkout_url="https://pay.example/ana",
    ),
    subscription="S-1",
)


def test_the_facts_of_a_sale_stay_and_its_buyer_goes() -> None:
    left = notice_of_nobody(NOTICE)

    assert left.buyer == Buyer()
    assert left.tracking == Tracking(
        utm_source="facebook", utm_campaign="Lançamento|120211234567890"
    )
    assert (left.transaction, left.money, left.product, left.status, left.subscription) == (
        *("T-1", Money(100, "BRL"), Product("1", "Curso"), NoticeStatus.APPROVED, "S-1"),
    )


def test_what_is_nobodys_already_stays_so() -> None:
    left = notice_of_nobody(NOTICE)

    assert left == notice_of_nobody(left)


@pytest.mark.parametrize(
    "utm", ["else@example.com", "u%40example.com", "0" * 64, "d41d8cd98f00b204e9800998ecf8427e"]
)
def test_a_campaign_that_holds_an_address_or_a_hash_goes(utm: str) -> None:
    assert campaign(utm, buyer_keys(ANA)) is None


@pytest.mark.parametrize("utm", [None, "facebook", "120211234567890123", "Feed|1202112345678"])
def test_a_campaign_stays(utm: str | None) -> None:
    assert utm == campaign(utm, buyer_keys(ANA))
