"""Sessions, links and tries to sign in go when they are over, and not before."""

from contextlib import AbstractAsyncContextManager

import pytest
from tests.support.door import Door, open_door

from trackai.errors import SignInFailed
from trackai.housekeeping.doors import FAILURES_KEPT, LINKS_KEPT, SESSIONS_KEPT, DoorKeeper
from trackai.storage.pool import Database, Role

TABLES = ("sessions", "one_time_links", "sign_in_failures", "half_sessions")


async def rows_of(door: Door) -> list[int]:
    async with door.database.transaction() as tx:
        found = [await tx.fetch(f"select count(*) as number from {name}") for name in TABLES]  # noqa: S608
    return [rows[0]["number"] for rows in found]


async def test_what_is_over_goes(fresh_database_url: str) -> None:
    async with open_door(fresh_database_url) as door:

        def opened(role: Role) -> AbstractAsyncContextManager[Database]:
            return Database.opened(fresh_database_url, role, size=1)

        keeper = DoorKeeper(opened, door.world.clock)
        await door.member()
        await door.sign_in()
        await door.secure(await door.member("bia@loja.test"))
        await door.sign_in("bia@loja.test")
        with pytest.raises(SignInFailed):
            await door.sign_in(password="wrong")
        found = [(await keeper.run(), await rows_of(door))]
        for passed in (FAILURES_KEPT, LINKS_KEPT * 2, SESSIONS_KEPT):
            door.world.clock.moment += passed
            door.world.clock.forward(minutes=1)
            found.append((await keeper.run(), await rows_of(door)))

        assert found == [
            *((0, [1, 2, 2, 1]), (3, [1, 2, 0, 0])),
            *((2, [1, 0, 0, 0]), (1, [0, 0, 0, 0])),
        ]
