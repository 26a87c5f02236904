"""Rows of lists and downloads as programs and spreadsheets get them; nothing of a buyer."""

import datetime as dt
from uuid import UUID

from pydantic import BaseModel, Field


class Event(BaseModel):
    """An event owed to a destination, with its sale, match and ad; nothing of the buyer."""

    id: UUID
    created_at: dt.datetime
    event_name: str
    event_id: str
    event_time: dt.datetime
    status: str
    reason: str | None
    attempts: int
    settled_at: dt.datetime | None
    gateway: str
    funnel_id: UUID
    destination_id: UUID
    pixel_id: str
    conversion_id: UUID
    transaction: str
    sale_status: str
    amount_minor: int | None
    currency: str | None
    sold_at: dt.datetime
    strategy: str | None
    click_id: str | None
    clicked_at: dt.datetime | None
    source: str | None
    medium: str | None
    campaign: str | None
    content: str | None


class Attempt(BaseModel):
    """A try to deliver, and what the destination said."""

    id: UUID
    created_at: dt.datetime
    delivery_id: UUID
    destination_id: UUID
    gateway: str
    funnel_id: UUID
    event_name: str | None
    event_id: str | None
    attempt: int
    status: str
    reason: str | None
    http_status: int | None
    error_code: int | None
    error_subcode: int | None
    trace_id: str | None
    batch_size: int
    duration_ms: float


class Sale(BaseModel):
    """A sale as it stands now, with its match and ad."""

    id: UUID
    sold_at: dt.datetime
    gateway: str
    transaction: str
    funnel_id: UUID
    status: str
    amount_minor: int | None
    currency: str | None
    refunded_minor: int
    product_id: str | None
    product_name: str | None
    quantity: int
    recurrence: int = Field(description="1, or which charge of a subscription.")
    bought_before: bool = Field(description="Whether the buyer had.")
    strategy: str | None
    click_id: str | None
    clicked_at: dt.datetime | None
    source: str | None
    medium: str | None
    campaign: str | None
    content: str | None


class AdRow(BaseModel):
    """What some ads brought and cost in one currency.

    Clicks and sales are of all currencies: they stand in the first row of an ad alone, so that a
    column can be added up.
    """

    kind: str
    campaign: str | None
    ad_set: str | None
    ad: str | None
    clicks: int | None
    sales: int | None
    returning_sales: int | None
    conversion_rate: float | None
    currency: str | None
    gross_minor: int | None
    refunded_minor: int | None
    net_minor: int | None
    spent_minor: int | None
    cpa_minor: int | None
    roas: float | None


class RateRow(BaseModel):
    """Paid sales and those of them with a click: of a stretch of time, a gateway or a strategy."""

    of: str = Field(description="minute, hour or day; gateway; strategy.")
    which: str
    sales: int
    matched: int
    match_rate: float | None
