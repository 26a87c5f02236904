"""Somebody answers for an item that nobody can measure: who, why, and until when.

What the program looks at by itself cannot be signed: a signature would hide that it does not hold.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.errors import InvalidField, NotFound
from trackai.golive.catalogue import ITEMS
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import Clock, NewId
from trackai.model.golive import Item, Proof
from trackai.storage import signoffs
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database, Tx
from trackai.storage.signoffs import SignOff

MOST_NOTE = 1000
LONGEST = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Pen:
    """Whose hand it is: the user, and how the audit log calls who gives the command."""

    user_id: UUID
    actor: str


@dataclass(frozen=True, slots=True)
class Signing:
    """Writes signatures, with the deed in the installation's audit log in the same commit."""

    people: Database
    clock: Clock
    new_id: NewId

    async def sign(self, item_id: str, pen: Pen, *, note: str, until: dt.datetime) -> SignOff:
        """Sign; InvalidField names what is wrong."""
        item, now = item_of(item_id), self.clock.now()
        said = " ".join(note.split())
        if item.proof is not Proof.SIGNED:
            raise InvalidField(
                "That is looked at by the program, and cannot be signed.", field="item"
            )
        if not 0 < len(said) <= MOST_NOTE or not said.isprintable():
            raise InvalidField(f"A note has 1 to {MOST_NOTE} letters.", field="note")
        if not now < until <= now + LONGEST:
            raise InvalidField("It ends after now, within a year.", field="until")
        made = SignOff(self.new_id(), item.id, pen.user_id, said, now, until)
        async with self.people.transaction(tenant_id=INSTALLATION) as tx:
            await signoffs.insert_signoff(tx, made)
            await self._note(tx, pen, "golive.sign", item, {"until": until.isoformat()})
        return made

    async def withdraw(self, item_id: str, pen: Pen) -> None:
        """Take the signature of an item back; NotFound when there is none."""
        item = item_of(item_id)
        async with self.people.transaction(tenant_id=INSTALLATION) as tx:
            if not await signoffs.withdraw(tx, item.id, at=self.clock.now()):
                raise NotFound("Nobody has signed that.")
            await self._note(tx, pen, "golive.withdraw", item, {})

    async def _note(self, tx: Tx, pen: Pen, deed: str, item: Item, more: dict[str, object]) -> None:
        scribe = Scribe(INSTALLATION, pen.actor, self.clock, self.new_id)
        await scribe.note(tx, deed, item.id, {"user": str(pen.user_id), **more})


def item_of(item_id: str) -> Item:
    """Return an item of the list; NotFound when there is none."""
    if item_id not in ITEMS:
        raise NotFound("There is no such item. List them: trackai golive list")
    return ITEMS[item_id]
