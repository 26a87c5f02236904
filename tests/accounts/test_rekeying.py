"""The installation's key is replaced: people are found and read as before."""

from typing import TYPE_CHECKING

from trackai.accounts.rekeying import rekey_users
from trackai.storage.envelope import Envelope
from trackai.storage.users import find_by_email

if TYPE_CHECKING:
    from tests.support.door import Door

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


async def test_users_are_read_with_the_new_key_alone(door: "Door") -> None:
    user = await door.member()
    both = Envelope([NEW, OLD])
    done = [await rekey_users(door.database, both) for _ in range(2)]
    async with door.database.transaction() as tx:
        found = await find_by_email(tx, Envelope([NEW]), user.email)

    assert done == [True, False]
    assert found is not None
    assert (found.id, found.name) == (user.id, user.name)
