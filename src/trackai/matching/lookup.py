"""Looking clicks up for the ladder, and remembering who bought with which click."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.matching.ladder import FindClicks, Key
from trackai.model.conversion import Conversion
from trackai.model.identity import IdentityKind, email_key, phone_key
from trackai.model.match import ClickCandidate, Match, MatchStrategy
from trackai.storage import clicks
from trackai.storage.envelope import Envelope
from trackai.storage.identities import Identity, find_click_ids_by_identity, insert_identities
from trackai.storage.pool import Tx

_IDENTITIES = {
    MatchStrategy.EMAIL: IdentityKind.EMAIL,
    MatchStrategy.PHONE: IdentityKind.PHONE,
}


def find_clicks(tx: Tx, envelope: Envelope, tenant_id: UUID) -> FindClicks:
    """Return the ladder's way to this tenant's clicks."""

    async def find(
        strategy: MatchStrategy, key: Key, until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        if isinstance(key, bytes):
            return await _by_identity(tx, envelope, tenant_id, _IDENTITIES[strategy], key)
        if strategy is MatchStrategy.CLICK_ID:
            found = await clicks.find_by_click_ids(
                tx, envelope, tenant_id=tenant_id, click_ids=[key]
            )
            return list(found.values())
        search = (
            clicks.find_last_by_fbclid
            if strategy is MatchStrategy.FBCLID
            else clicks.find_last_by_fbp
        )
        click = await search(tx, envelope, key, tenant_id=tenant_id, until=until)
        return [] if click is None else [click]

    return find


async def remember_buyer(tx: Tx, conversion: Conversion, match: Match) -> None:
    """Store that this buyer came with this click, so that the next purchase finds it too."""
    if match.click is None:
        return
    keys = (
        (IdentityKind.EMAIL, email_key(conversion.buyer.email)),
        (IdentityKind.PHONE, phone_key(conversion.buyer.phone)),
    )
    await insert_identities(
        tx,
        [
            Identity(
                conversion.tenant_id, kind, key, match.click.click_id, conversion.first_seen_at
            )
            for kind, key in keys
            if key is not None
        ],
    )


async def _by_identity(
    tx: Tx, envelope: Envelope, tenant_id: UUID, kind: IdentityKind, key: bytes
) -> Sequence[ClickCandidate]:
    click_ids = await find_click_ids_by_identity(tx, tenant_id=tenant_id, kind=kind, key=key)
    if not click_ids:
        return []
    found = await clicks.find_by_click_ids(tx, envelope, tenant_id=tenant_id, click_ids=click_ids)
    return [found[click_id] for click_id in click_ids if click_id in found]
