"""What answering a person's request needs, and the deed that it leaves in the audit log."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from trackai.model.clock import Clock, NewId
from trackai.privacy.person import Person
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage.audit_logs import Scribe
from trackai.storage.envelope import Envelope
from trackai.storage.erased_people import digests
from trackai.storage.pool import Database, Tx
from trackai.storage.tenant_keys import know


@dataclass(frozen=True, slots=True)
class Desk:
    """One tenant's rows and keys, and who acts on them."""

    database: Database
    envelope: Envelope
    clock: Clock
    new_id: NewId
    tenant_id: UUID
    actor: str
    secrets: Secrets = NOWHERE

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction that sees this tenant alone, its key at hand."""
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            await know(tx, self.envelope, (self.tenant_id,))
            yield tx

    def digests(self, person: Person) -> list[bytes]:
        """Return the keyed digests that stand for a person where nothing personal may.

        After a transaction was opened: it learns the key.
        """
        return digests(self.envelope, self.tenant_id, person.keys)

    async def note(
        self, tx: Tx, action: str, subject: str, person: Person, details: Mapping[str, object]
    ) -> None:
        """Write a deed about a person down, with the commit of what was done."""
        people = [digest.hex() for digest in self.digests(person)]
        scribe = Scribe(self.tenant_id, self.actor, self.clock, self.new_id)
        await scribe.note(tx, action, subject, {**details, "people": people})
