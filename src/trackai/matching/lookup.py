"""Looking clicks up for the ladder, and remembering who bought with which click."""

import datetime as dt
from collections.abc import Sequence
from typing import assert_never

from trackai.errors import InvariantBroken
from trackai.matching.ladder import Key
from trackai.model.click import Visitor
from trackai.model.conversion import Conversion
from trackai.model.identity import IdentityKind, email_key, phone_key
from trackai.model.match import ClickCandidate, Match, MatchStrategy
from trackai.storage import clicks, matches
from trackai.storage.envelope import Envelope
from trackai.storage.identities import Identity, find_click_ids_of_person, insert_identities
from trackai.storage.pool import Tx

_IDENTITIES = {
    MatchStrategy.EMAIL: IdentityKind.EMAIL,
    MatchStrategy.PHONE: IdentityKind.PHONE,
}


class StoredClicks:
    """The clicks of one tenant, for one of its sales."""

    def __init__(self, tx: Tx, envelope: Envelope, conversion: Conversion) -> None:
        self._tx = tx
        self._envelope = envelope
        self._conversion = conversion
        self._tenant_id = conversion.tenant_id

    async def find(
        self, strategy: MatchStrategy, key: Key, until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        """Return clicks with a key, latest first, none later than `until` except by our id."""
        match key:
            case bytes():
                return await self._of_person(_IDENTITIES[strategy], key)
            case Visitor():
                return await clicks.find_by_visitor(
                    self._tx, self._envelope, key, tenant_id=self._tenant_id, until=until
                )
            case str():
                return await self._by_id(strategy, key, until)
            case _:
                assert_never(key)

    async def find_first(
        self, click: ClickCandidate, since: dt.datetime, until: dt.datetime
    ) -> ClickCandidate | None:
        """Return the first click of an ad, of the same browser or person, in this time."""
        return await clicks.find_first_of_ad(
            self._tx,
            self._envelope,
            click,
            tenant_id=self._tenant_id,
            since=since,
            until=until,
        )

    async def _by_id(
        self, strategy: MatchStrategy, key: str, until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        named = {"tenant_id": self._tenant_id}
        match strategy:
            case MatchStrategy.CLICK_ID:
                return await self._clicks([key])
            case MatchStrategy.SUBSCRIPTION:
                click_id = await matches.find_first_of_subscription(
                    self._tx, self._conversion, subscription=key
                )
                return await self._clicks([click_id] if click_id else [])
            case MatchStrategy.FBCLID:
                found = await clicks.find_last_by_fbclid(
                    self._tx, self._envelope, key, until=until, **named
                )
            case MatchStrategy.FBP:
                found = await clicks.find_last_by_fbp(
                    self._tx, self._envelope, key, until=until, **named
                )
            case _:
                raise InvariantBroken("This rung has no such key.")
        return [found] if found else []

    async def _of_person(self, kind: IdentityKind, key: bytes) -> Sequence[ClickCandidate]:
        return await self._clicks(
            await find_click_ids_of_person(
                self._tx, self._envelope, tenant_id=self._tenant_id, kind=kind, key=key
            )
        )

    async def _clicks(self, click_ids: Sequence[str]) -> Sequence[ClickCandidate]:
        if not click_ids:
            return []
        found = await clicks.find_by_click_ids(
            self._tx, self._envelope, tenant_id=self._tenant_id, click_ids=click_ids
        )
        return [found[click_id] for click_id in click_ids if click_id in found]


async def remember_buyer(tx: Tx, envelope: Envelope, conversion: Conversion, match: Match) -> None:
    """Store that this buyer came with this click, so that the next purchase finds it too."""
    if match.found is None:
        return
    keys = (
        (IdentityKind.EMAIL, email_key(conversion.buyer.email)),
        (IdentityKind.PHONE, phone_key(conversion.buyer.phone)),
    )
    await insert_identities(
        tx,
        envelope,
        [
            Identity(
                conversion.tenant_id, kind, key, match.found.click_id, conversion.first_seen_at
            )
            for kind, key in keys
            if key is not None
        ],
    )
