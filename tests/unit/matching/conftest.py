"""Builders of the nouns that matching's rules work on."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from trackai.matching.lifecycle import Belonging, sum_up
from trackai.model.clock import UTC
from trackai.model.conversion import Conversion
from trackai.model.money import Money
from trackai.model.notice import Notice, NoticeStatus, Said

TENANT = UUID("01890000-0000-7000-8000-000000000001")
CONNECTION = UUID("01890000-0000-7000-8000-000000000002")
FUNNEL = UUID("01890000-0000-7000-8000-000000000003")
CONVERSION = UUID("01890000-0000-7000-8000-000000000004")
RECEIPT = UUID("01890000-0000-7000-8000-000000000005")
SOLD_AT = dt.datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RECEIVED_AT = SOLD_AT + dt.timedelta(minutes=1)

MakeNotice = Callable[..., Notice]
MakeConversion = Callable[..., Conversion]


@pytest.fixture
def notice() -> MakeNotice:
    def make(status: NoticeStatus = NoticeStatus.APPROVED, **changes: object) -> Notice:
        plain = Notice(
            gateway="kiwify",
            transaction="T1",
            status=status,
            event=status.value,
            sold_at=SOLD_AT,
            money=Money(9700, "BRL"),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def conversion(notice: MakeNotice) -> MakeConversion:
    """A sale of which these statuses were said."""

    def make(*statuses: NoticeStatus, **changes: object) -> Conversion:
        said = [
            Said(notice(status, **changes), RECEIPT, position, RECEIVED_AT)
            for position, status in enumerate(statuses or [NoticeStatus.APPROVED])
        ]
        return sum_up(said, Belonging(TENANT, CONVERSION, CONNECTION, FUNNEL))

    return make
