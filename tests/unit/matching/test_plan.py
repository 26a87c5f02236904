import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest
from tests.unit.matching.conftest import RECEIVED_AT, SOLD_AT, TENANT, MakeConversion, MakeNotice

from trackai.matching.plan import PROVISIONAL_WAIT, plan_deliveries
from trackai.model.delivery import DeliveryStatus
from trackai.model.money import Money
from trackai.model.notice import NoticeStatus
from trackai.model.tenant import DestinationAccount

N = NoticeStatus
NOW = RECEIVED_AT
PIXEL = DestinationAccount(TENANT, UUID(int=7), None, "meta", "123", "token")


def test_an_approved_sale_is_a_purchase_at_the_time_it_was_paid(
    conversion: MakeConversion, notice: MakeNotice
) -> None:
    (planned,) = plan_deliveries(conversion(), notice(), [PIXEL], NOW)

    assert ("Purchase", "kiwify:T1") == (planned.event_name, planned.event_id)
    assert (SOLD_AT, NOW) == (planned.event_time, planned.send_at)
    assert DeliveryStatus.PENDING is planned.status


@pytest.mark.parametrize("status", sorted(set(NoticeStatus) - {N.APPROVED}))
def test_nothing_else_is_sent_by_default(
    status: NoticeStatus, conversion: MakeConversion, notice: MakeNotice
) -> None:
    assert [] == plan_deliveries(conversion(status), notice(status), [PIXEL], NOW)


def test_a_renewal_is_no_purchase(conversion: MakeConversion, notice: MakeNotice) -> None:
    (planned,) = plan_deliveries(conversion(recurrence=2), notice(recurrence=2), [PIXEL], NOW)

    assert "SubscriptionRenewal" == planned.event_name


def test_a_sale_of_nothing_is_a_trial(conversion: MakeConversion, notice: MakeNotice) -> None:
    free = Money(0, "BRL")

    (planned,) = plan_deliveries(conversion(money=free), notice(money=free), [PIXEL], NOW)

    assert "StartTrial" == planned.event_name


def test_a_destination_chooses_its_events(conversion: MakeConversion, notice: MakeNotice) -> None:
    pixel = replace(PIXEL, event_names={"pending": "AddPaymentInfo", "approved": ""})

    (planned,) = plan_deliveries(conversion(N.PENDING), notice(N.PENDING), [pixel], NOW)

    assert "AddPaymentInfo" == planned.event_name
    assert [] == plan_deliveries(conversion(), notice(), [pixel], NOW)


def test_a_pending_notice_that_comes_after_the_approval_sends_nothing(
    conversion: MakeConversion, notice: MakeNotice
) -> None:
    pixel = replace(PIXEL, event_names={"pending": "AddPaymentInfo"})
    late = notice(N.PENDING)
    sale = conversion(N.APPROVED, N.PENDING)

    assert [] == plan_deliveries(sale, late, [pixel], NOW)


def test_completed_weeks_later_sends_no_second_purchase(
    conversion: MakeConversion, notice: MakeNotice
) -> None:
    later = notice(N.COMPLETED)
    sale = conversion(N.APPROVED, N.COMPLETED)

    assert [] == plan_deliveries(sale, later, [PIXEL], NOW)


@pytest.mark.parametrize("reversal", [N.REFUNDED, N.CHARGED_BACK])
def test_an_approval_that_comes_after_its_refund_is_withheld(
    reversal: NoticeStatus, conversion: MakeConversion, notice: MakeNotice
) -> None:
    approved = notice()
    sale = conversion(reversal, N.APPROVED)

    (planned,) = plan_deliveries(sale, approved, [PIXEL], NOW)

    assert (DeliveryStatus.WITHHELD, "sale_reversed") == (planned.status, planned.reason)


def test_a_provisional_notice_waits_for_the_full_one(
    conversion: MakeConversion, notice: MakeNotice
) -> None:
    (planned,) = plan_deliveries(conversion(), notice(provisional=True), [PIXEL], NOW)

    assert NOW + PROVISIONAL_WAIT == planned.send_at


def test_planning_again_gives_the_same_ids(conversion: MakeConversion, notice: MakeNotice) -> None:
    pixels = [PIXEL, replace(PIXEL, id=UUID(int=8))]

    first = plan_deliveries(conversion(), notice(), pixels, NOW)
    again = plan_deliveries(conversion(), notice(), pixels, NOW + dt.timedelta(days=30))

    def ids(planned: list) -> list:  # type: ignore[type-arg]
        return [(one.destination_id, one.event_name, one.event_id) for one in planned]

    assert ids(first) == ids(again)
