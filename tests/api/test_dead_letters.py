"""Dead letters over the API: by key, one tenant's only, and with errors in the one shape."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.world import Account, World, open_world

from trackai.accounts.api_keys import PREFIX, ApiKeys, ApiScope
from trackai.api.app import OPENAPI, create_api
from trackai.api.tools import ApiTools
from trackai.gateways.registry import gateways
from trackai.ingest.throttle import Throttle
from trackai.model.clock import new_id
from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    from tests.conftest import Serve

LETTERS = "/api/v1/dead-letters"
BOTH = (ApiScope.READ, ApiScope.DELIVER)
BURY = """
update deliveries set status = 'dead', reason = 'invalid_parameter', settled_at = $2,
  event_time = $3
where tenant_id = $1 and status = 'pending'
"""


@dataclass
class Front:
    """A served API over a world with dead letters."""

    world: World
    http: aiohttp.ClientSession
    url: str

    async def key(self, *scopes: ApiScope, account: Account | None = None) -> str:
        tenant = (account or self.world.account).tenant
        keys = ApiKeys(self.world.people, self.world.clock, new_id, tenant.id)
        return (await keys.create("program", scopes or BOTH, actor="cli:ana"))[1]

    async def call(
        self, method: str, path: str, key: str | None, json: object = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.http.request(method, self.url + path, json=json, headers=headers) as answer:
            return answer.status, await answer.json()

    async def dead(
        self,
        count: int,
        *,
        account: Account | None = None,
        age: dt.timedelta = dt.timedelta(days=1),
    ) -> None:
        """Have dead letters, the events so old."""
        for _ in range(count):
            sale = self.world.sale("kiwify")
            await self.world.tell("kiwify", sale, SaleStatus.APPROVED, account=account)
        now = self.world.clock.now()
        async with self.world.workers.transaction() as tx:
            tenant = (account or self.world.account).tenant
            await tx.execute(BURY, tenant.id, now, now - age)


@pytest.fixture
async def front(fresh_database_url: str, serve: "Serve") -> AsyncIterator[Front]:
    async with open_world(fresh_database_url) as world, aiohttp.ClientSession() as http:
        throttle = Throttle(rate=1000.0, burst=1000)
        tools = ApiTools(world.people, world.edge, world.clock, new_id, throttle, [*gateways()])
        yield Front(world, http, await serve(create_api(tools)))


async def test_list_and_show(front: Front) -> None:
    await front.dead(3)
    key = await front.key(ApiScope.READ)
    status, letters = await front.call("GET", LETTERS, key)
    shown, letter = await front.call("GET", f"{LETTERS}/{letters[0]['id']}", key)
    _, none = await front.call("GET", f"{LETTERS}?reason=timeout", key)

    assert (status, shown) == (200, 200)
    assert [one["reason"] for one in letters] == ["invalid_parameter"] * 3
    assert letter["event_id"] == letters[0]["event_id"]
    assert letter["tries"] == []
    assert none == []


async def test_replay_is_one_however_often_it_is_asked(front: Front) -> None:
    await front.dead(3)
    key = await front.key()
    asked = {"all": True, "key": "monday", "rate": 10}
    first = await front.call("POST", f"{LETTERS}/replays", key, asked)
    second = await front.call("POST", f"{LETTERS}/replays", key, asked)
    status, progress = await front.call("GET", f"{LETTERS}/replays/{first[1]['id']}", key)
    deeds = await front.world.rows("select actor, action from audit_logs where tenant_id = $1")

    assert first[0] == second[0] == 202
    assert first[1]["id"] == second[1]["id"]
    assert (status, progress["selected"], progress["waiting"]) == (200, 3, 3)
    assert [row["actor"][:4] for row in deeds if row["action"] == "dead_letters.replay"] == ["key:"]


async def test_what_is_too_old_is_refused_and_counted(front: Front) -> None:
    await front.dead(1)
    await front.dead(2, age=dt.timedelta(days=8))
    _, progress = await front.call("POST", f"{LETTERS}/replays", await front.key(), {"all": True})

    assert (progress["selected"], progress["too_old"]) == (1, 2)


async def test_single_and_discard(front: Front) -> None:
    await front.dead(3)
    key = await front.key()
    _, letters = await front.call("GET", LETTERS, key)
    _, progress = await front.call(
        "POST", f"{LETTERS}/replays", key, {"delivery_ids": [letters[0]["id"]]}
    )
    asked = {"delivery_ids": [letters[1]["id"]], "why": "a test sale"}
    status, discarded = await front.call("POST", f"{LETTERS}/discards", key, asked)
    _, left = await front.call("GET", LETTERS, key)

    assert progress["selected"] == 1
    assert (status, discarded) == (200, {"discarded": 1})
    assert letters[1]["id"] not in {one["id"] for one in left}


async def test_another_tenants_key_sees_and_does_nothing(front: Front) -> None:
    await front.dead(2)
    other = await front.world.open_account("Outra loja")
    mine, theirs = await front.key(), await front.key(account=other)
    _, letters = await front.call("GET", LETTERS, mine)
    one = letters[0]["id"]
    _, progress = await front.call("POST", f"{LETTERS}/replays", mine, {"all": True})
    seen = [
        await front.call("GET", LETTERS, theirs),
        await front.call("GET", f"{LETTERS}/{one}", theirs),
        await front.call("GET", f"{LETTERS}/replays/{progress['id']}", theirs),
    ]
    _, replayed = await front.call("POST", f"{LETTERS}/replays", theirs, {"delivery_ids": [one]})
    _, discarded = await front.call(
        "POST", f"{LETTERS}/discards", theirs, {"all": True, "why": "not mine"}
    )

    assert [status for status, _ in seen] == [200, 404, 404]
    assert seen[0][1] == []
    assert (replayed["selected"], discarded["discarded"]) == (0, 0)


@pytest.mark.parametrize("key", [None, "", "trk_wrong", "x" * 5000, "trk_" + "é" * 10])
async def test_without_a_valid_key_nothing_is_shown(front: Front, key: str | None) -> None:
    status, body = await front.call("GET", LETTERS, key)

    assert (status, body["error"]["code"]) == (401, "not_authenticated")


async def test_a_revoked_key_opens_nothing(front: Front) -> None:
    key = await front.key()
    keys = ApiKeys(front.world.people, front.world.clock, new_id, front.world.account.tenant.id)
    (row,) = await keys.list()
    await keys.revoke(row["id"], actor="cli:ana")
    status, _ = await front.call("GET", LETTERS, key)

    assert status == 401
    assert key not in str([dict(one) for one in await keys.list()])


async def test_a_key_that_may_only_read_changes_nothing(front: Front) -> None:
    await front.dead(1)
    key = await front.key(ApiScope.READ)
    replayed = await front.call("POST", f"{LETTERS}/replays", key, {"all": True})
    discarded = await front.call("POST", f"{LETTERS}/discards", key, {"all": True, "why": "x"})

    assert {(status, body["error"]["code"]) for status, body in (replayed, discarded)} == {
        (403, "forbidden")
    }


async def test_a_key_is_nowhere_in_the_database(front: Front) -> None:
    key = await front.key()
    await front.call("GET", LETTERS, key)
    tenant = front.world.account.tenant
    async with front.world.people.transaction(tenant_id=tenant.id) as tx:
        (row,) = await tx.fetch("select * from api_keys")

    assert key not in str(dict(row))
    assert row["beginning"] == key[: len(PREFIX) + 6]
    assert row["last_used_at"] == front.world.clock.now()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "all"),
        ({"all": True, "rate": 0}, "rate"),
        ({"all": True, "rate": "fast"}, "rate"),
        ({"all": True, "surprise": 1}, "surprise"),
        ({"delivery_ids": ["not-an-id"]}, "delivery_ids.0"),
        ({"since": "2026-11-01T00:00:00"}, "since"),
        ([], "body"),
        ({"reason": "a\x00b"}, "reason"),
        ({"all": True, "key": "\x00"}, "key"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
    ],
)
async def test_wrong_input_names_its_field_and_not_its_value(
    front: Front, asked: object, field: str
) -> None:
    status, body = await front.call("POST", f"{LETTERS}/replays", await front.key(), asked)

    assert (status, body["error"]["code"], body["error"]["field"]) == (422, "invalid_field", field)
    assert "not-an-id" not in str(body)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("DELETE", LETTERS, 405, "method_not_allowed"),
        ("GET", f"{LETTERS}/not-an-id", 422, "invalid_field"),
    ],
)
async def test_errors_have_one_shape(
    front: Front, method: str, path: str, status: int, code: str
) -> None:
    found, body = await front.call(method, path, await front.key())

    assert (found, body["error"]["code"]) == (status, code)
    assert body["error"]["message"].endswith(".")


async def test_too_many_requests_are_told_when_to_come_back(
    fresh_database_url: str, serve: "Serve"
) -> None:
    async with open_world(fresh_database_url) as world, aiohttp.ClientSession() as http:
        throttle = Throttle(rate=0.001, burst=2)
        tools = ApiTools(world.people, world.edge, world.clock, new_id, throttle, [*gateways()])
        front = Front(world, http, await serve(create_api(tools)))
        key = await front.key()
        statuses = [(await front.call("GET", LETTERS, key))[0] for _ in range(3)]

    assert statuses == [200, 200, 429]


async def test_a_database_that_is_away_is_503(front: Front) -> None:
    key = await front.key()
    await front.world.people.close()
    status, body = await front.call("GET", LETTERS, key)

    assert (status, body["error"]["code"]) == (503, "storage_unavailable")


async def test_the_document_describes_every_route(front: Front) -> None:
    status, document = await front.call("GET", OPENAPI, None)

    assert status == 200
    assert {LETTERS, f"{LETTERS}/replays", f"{LETTERS}/discards"} <= set(document["paths"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 422),
        (b" " * 300_000, 413),
        (b'{"all": true, "delivery_ids": [' + b'"x",' * 50_000 + b'"x"]}', 422),
    ],
)
async def test_bodies_that_are_no_wish_are_refused(front: Front, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {await front.key()}", "Content-Type": "application/json"}
    url = f"{front.url}{LETTERS}/replays"
    async with front.http.post(url, data=body, headers=headers) as answer:
        said = await answer.json()

    assert answer.status == status
    assert set(said) == {"error"}


async def test_odd_words_in_an_address_are_refused(front: Front) -> None:
    key = await front.key()
    odd = [
        await front.call("GET", f"{LETTERS}?{query}", key)
        for query in (
            "reason=a%00b",
            "limit=0",
            "limit=99999",
            "destination_id=x",
            "surprise=1",
            "since=0001-01-01T00:00:00%2B14:00",
        )
    ]

    assert {(status, body["error"]["code"]) for status, body in odd} == {(422, "invalid_field")}


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("replays", {"gateway": "kivify"}, "gateway"),
        ("replays", {"all": True, "key": " "}, "key"),
        ("discards", {"all": True, "why": "  "}, "why"),
    ],
)
async def test_words_that_are_none_are_refused(
    front: Front, path: str, asked: dict[str, object], field: str
) -> None:
    status, answer = await front.call("POST", f"{LETTERS}/{path}", await front.key(), asked)

    assert (status, answer["error"]["field"]) == (422, field)


async def test_a_body_that_does_not_say_that_it_is_json_is_refused_with_a_hint(
    front: Front,
) -> None:
    headers = {
        "Authorization": f"Bearer {await front.key()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    url = f"{front.url}{LETTERS}/replays"
    async with front.http.post(url, data=b'{"all": true}', headers=headers) as answer:
        said = await answer.json()

    assert (answer.status, said["error"]["code"]) == (415, "unsupported_body")
    assert "Content-Type: application/json" in said["error"]["message"]
