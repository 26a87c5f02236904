"""Tables conversions and conversion_notices: sales, and what each notice said of them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from trackai.model.conversion import Conversion
from trackai.model.identity import email_key, external_id_key, phone_key
from trackai.model.money import Money
from trackai.model.notice import Buyer, Notice, Said, Tracking
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx
from trackai.storage.tenant_keys import know

TABLE = "conversions"
NOTICES = "conversion_notices"

# One worker at a time looks at a sale, even before its row exists.
LOCK_TRANSACTION = """
select pg_advisory_xact_lock(hashtextextended($1::uuid::text || '/' || $2 || '/' || $3, 0))
"""

# Which sale this transaction is, and whose.
FIND_BY_TRANSACTION = """
select id, connection_id, funnel_id, erased_at is not null as erased
from conversions where tenant_id = $1 and gateway = $2 and transaction = $3
"""

# A transaction by its sale's id.
FIND_TRANSACTION = """
select gateway, transaction, connection_id, funnel_id
from conversions where tenant_id = $1 and id = $2
"""

# A sale as it stands now, new or changed. A buyer bought before when a charge is a renewal, or when
# another sale to them was paid; what is bought within an hour is one purchase, of several things.
SAVE_CONVERSION = """
insert into conversions (tenant_id, id, gateway, transaction, connection_id, funnel_id, status,
  recurrence, amount_minor, currency, refunded_minor, product_id, product_name, quantity,
  buyer_sealed, tracking, sold_at, first_seen_at, updated_at, subscription, erased_at, buyer_key,
  bought_before)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
  $21, $22, $8 > 1 or exists (
    select from conversions o
    where o.tenant_id = $1 and o.buyer_key = $22 and o.id <> $2 and trackai_was_paid(o.status)
      and o.sold_at < $17::timestamptz - interval '1 hour'))
on conflict (tenant_id, id) do update set
  status = excluded.status, recurrence = excluded.recurrence,
  amount_minor = excluded.amount_minor, currency = excluded.currency,
  refunded_minor = excluded.refunded_minor, product_id = excluded.product_id,
  product_name = excluded.product_name, quantity = excluded.quantity,
  buyer_sealed = excluded.buyer_sealed, tracking = excluded.tracking,
  sold_at = excluded.sold_at, first_seen_at = excluded.first_seen_at,
  updated_at = excluded.updated_at, subscription = excluded.subscription,
  erased_at = coalesce(conversions.erased_at, excluded.erased_at), buyer_key = excluded.buyer_key,
  bought_before = case when excluded.buyer_key is null and excluded.recurrence = 1
    then conversions.bought_before else excluded.bought_before end
"""

# What one receipt said of a sale; said once.
INSERT_NOTICE = """
insert into conversion_notices (tenant_id, conversion_id, receipt_id, position, status, event,
  occurred_at, received_at, notice_sealed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, conversion_id, receipt_id, position) do update set
  status = excluded.status, event = excluded.event, occurred_at = excluded.occurred_at,
  notice_sealed = excluded.notice_sealed
"""

# All that was ever said of a sale.
LIST_NOTICES = """
select receipt_id, position, received_at, notice_sealed
from conversion_notices where tenant_id = $1 and conversion_id = $2
"""

# A tenant's sales with their match and what became of their events, newest first.
LIST_CONVERSIONS = """
select c.id, c.gateway, c.transaction, c.status, c.amount_minor, c.currency, c.product_name,
  c.sold_at, c.first_seen_at, m.strategy, m.click_id,
  (select count(*) from deliveries d
   where d.tenant_id = c.tenant_id and d.conversion_id = c.id and d.status = 'accepted'
  ) as accepted
from conversions c
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where c.tenant_id = $1 and ($2::text is null or c.gateway = $2)
  and ($3::text is null or c.status = $3)
order by c.first_seen_at desc, c.id desc limit $4
"""


_BUYER_KEY_BYTES = 16
_BUYER = msgspec.msgpack.Decoder(Buyer)
_NOTICE = msgspec.msgpack.Decoder(Notice)


@dataclass(frozen=True, slots=True)
class SaleKey:
    """Which conversion a transaction is, and whose."""

    id: UUID
    connection_id: UUID
    funnel_id: UUID
    erased: bool  # its buyer was, at their request


async def lock_transaction(tx: Tx, *, tenant_id: UUID, gateway: str, transaction: str) -> None:
    """Make other workers wait with this sale until this transaction ends."""
    await tx.fetch(LOCK_TRANSACTION, tenant_id, gateway, transaction)


async def find_sale(tx: Tx, *, tenant_id: UUID, gateway: str, transaction: str) -> SaleKey | None:
    """Return which sale this transaction is."""
    row = await tx.fetch_one(FIND_BY_TRANSACTION, tenant_id, gateway, transaction)
    return SaleKey(**dict(row)) if row else None


async def find_transaction(tx: Tx, *, tenant_id: UUID, conversion_id: UUID) -> Row | None:
    """Return gateway, transaction, connection and funnel of a sale."""
    return await tx.fetch_one(FIND_TRANSACTION, tenant_id, conversion_id)


async def save_conversion(
    tx: Tx,
    envelope: Envelope,
    conversion: Conversion,
    *,
    now: dt.datetime,
    erased: bool = False,
) -> None:
    """Store a sale as it stands now; `erased`: of nobody, for good."""
    await know(tx, envelope, (conversion.tenant_id,))
    money, product = conversion.money, conversion.product
    buyer = msgspec.msgpack.encode(conversion.buyer)
    await tx.execute(
        SAVE_CONVERSION,
        conversion.tenant_id,
        conversion.id,
        conversion.gateway,
        conversion.transaction,
        conversion.connection_id,
        conversion.funnel_id,
        conversion.status.value,
        conversion.recurrence,
        money.amount_minor if money else None,
        money.currency if money else None,
        conversion.refunded.amount_minor if conversion.refunded else None,
        product.product_id,
        product.name,
        product.quantity,
        envelope.seal(buyer, table=TABLE, tenant_id=conversion.tenant_id),
        msgspec.to_builtins(conversion.tracking),
        conversion.sold_at,
        conversion.first_seen_at,
        now,
        conversion.subscription,
        now if erased else None,
        _buyer_key(envelope, conversion),
    )


async def save_notice(
    tx: Tx, envelope: Envelope, said: Said, *, tenant_id: UUID, conversion_id: UUID
) -> None:
    """Record what a receipt said of a sale; after a reprocess, what it is understood to say now."""
    await know(tx, envelope, (tenant_id,))
    notice = said.notice
    sealed = envelope.seal(msgspec.msgpack.encode(notice), table=NOTICES, tenant_id=tenant_id)
    await tx.execute(
        INSERT_NOTICE,
        tenant_id,
        conversion_id,
        said.receipt_id,
        said.position,
        notice.status.value,
        notice.event,
        said.occurred_at,
        said.received_at,
        sealed,
    )


async def list_notices(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, conversion_id: UUID
) -> list[Said]:
    """Return everything that was ever said of this sale."""
    await know(tx, envelope, (tenant_id,))
    return [
        Said(
            _NOTICE.decode(envelope.open(row["notice_sealed"], table=NOTICES, tenant_id=tenant_id)),
            row["receipt_id"],
            row["position"],
            row["received_at"],
        )
        for row in await tx.fetch(LIST_NOTICES, tenant_id, conversion_id)
    ]


async def list_conversions(
    tx: Tx, *, tenant_id: UUID, gateway: str | None, status: str | None, limit: int
) -> Sequence[Row]:
    """Return the tenant's sales, newest first, without personal data."""
    return await tx.fetch(LIST_CONVERSIONS, tenant_id, gateway, status, limit)


def open_buyer(envelope: Envelope, tenant_id: UUID, sealed: bytes) -> Buyer:
    """Return the buyer inside a conversion's envelope."""
    return _BUYER.decode(envelope.open(sealed, table=TABLE, tenant_id=tenant_id))


def _buyer_key(envelope: Envelope, conversion: Conversion) -> bytes | None:
    """Return the tenant's keyed digest of the buyer, by the first of what tells people apart."""
    buyer = conversion.buyer
    known = email_key(buyer.email) or phone_key(buyer.phone) or external_id_key(buyer.document)
    if known is None:
        return None
    digest = envelope.digest(b"buyer\x00" + known, tenant_id=conversion.tenant_id)
    return digest[:_BUYER_KEY_BYTES]


def money_of(amount_minor: int | None, currency: str | None) -> Money | None:
    """Return Money from its two columns."""
    return None if amount_minor is None or currency is None else Money(amount_minor, currency)


def tracking_of(stored: object) -> Tracking:
    """Return tracking parameters from their jsonb."""
    return msgspec.convert(stored, Tracking)
