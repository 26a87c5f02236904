"""Makes, recognizes and revokes the keys of a tenant's programs."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from trackai.accounts import words
from trackai.accounts.tokens import digest_of, new_token
from trackai.errors import InvalidField, NotFound
from trackai.model.clock import Clock, NewId
from trackai.storage import api_keys
from trackai.storage.api_keys import KnownApiKey, NewApiKey
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database, Row

# So that scanners of repositories and people know one when they see it.
PREFIX = "trk_"
SHOWN_CHARS = len(PREFIX) + 6
MAX_NAME_CHARS = 100
MAX_KEY_CHARS = 200


class ApiScope(StrEnum):
    """What a key may do."""

    READ = "read"  # see the tenant's things
    DELIVER = "deliver"  # replay and discard dead letters


class ApiKeys:
    """One tenant's keys, as people work on them."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, tenant_id: UUID) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._tenant_id = tenant_id

    async def create(
        self, name: str, scopes: Sequence[ApiScope], *, actor: str
    ) -> tuple[UUID, str]:
        """Return a new key's id and the key itself, which is shown this once."""
        name = words.name(name, most=MAX_NAME_CHARS)
        if not scopes:
            raise InvalidField(f"Say what it may do: {', '.join(ApiScope)}.", field="scopes")
        key, now = PREFIX + new_token(), self._clock.now()
        new = NewApiKey(
            tenant_id=self._tenant_id,
            id=self._new_id(),
            name=name,
            beginning=key[:SHOWN_CHARS],
            digest=digest_of(key),
            scopes=sorted(set(scopes)),
            created_at=now,
            created_by=actor,
        )
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            await api_keys.insert_api_key(tx, new)
            await self._scribe(actor).note(tx, "api_key.create", new.id)
        return new.id, key

    async def list(self) -> Sequence[Row]:
        """Return the keys, newest first; none can be read again."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await api_keys.list_api_keys(tx, tenant_id=self._tenant_id)

    async def revoke(self, key_id: UUID, *, actor: str) -> None:
        """Let a key open nothing from now on; NotFound when there is none in use."""
        now = self._clock.now()
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if not await api_keys.revoke_api_key(
                tx, tenant_id=self._tenant_id, key_id=key_id, now=now
            ):
                raise NotFound("The tenant has no such key in use. List them: trackai key list")
            await self._scribe(actor).note(tx, "api_key.revoke", key_id)

    def _scribe(self, actor: str) -> Scribe:
        return Scribe(self._tenant_id, actor, self._clock, self._new_id)


async def recognize(database: Database, key: str, now: dt.datetime) -> KnownApiKey | None:
    """Return what is known of a key, None when it opens nothing.

    It is found by its digest: what a stranger can learn from the time that takes is about digests.
    """
    if not key.startswith(PREFIX) or len(key) > MAX_KEY_CHARS:
        return None
    async with database.transaction() as tx:
        return await api_keys.find_api_key_all_tenants(tx, digest_of(key), now=now)
