"""Webhooks over HTTP: proved bytes are kept as received, everything else is refused and counted."""

import asyncio
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
from tests.support.program import PATIENCE_S

from trackai.gateways.port import InboundRequest, ProofFailure
from trackai.model.clock import new_id
from trackai.model.notice import NotASale
from trackai.model.tenant import Secret
from trackai.storage.gateway_connections import set_secrets
from trackai.storage.receipts import TABLE, RequestParts
from trackai.telemetry.metrics import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.ingest.conftest import BuildWorld, World

import msgspec

TOKEN = "perfectpay-token-0123456789abcdef"
RECEIPTS = "select * from webhook_receipts where tenant_id = $1 order by id"
REJECTIONS = "select * from webhook_rejections where tenant_id = $1 order by id"


def sale(token: str | None = TOKEN, code: str = "PPCPMTB1") -> bytes:
    """A PerfectPay postback; the odd spacing must survive."""
    body: dict[str, object] = {"code": code, "sale_status_enum": 2, "sale_amount": 197.0}
    if token is not None:
        body["token"] = token
    return json.dumps(body, indent=3).encode()


def opened(world: "World", sealed: bytes) -> bytes:
    return world.envelope.open(sealed, table=TABLE, tenant_id=world.tenant.id)


async def test_authentic_webhook_is_kept_byte_for_byte(world: "World") -> None:
    reply = await world.webhook(sale(), content_type="application/json", x_custom="kept")

    (row,) = await world.rows(RECEIPTS)
    request = msgspec.msgpack.decode(opened(world, row["request_sealed"]), type=RequestParts)
    assert (200, {"receipt_id": str(row["id"]), "repeat": False}) == (reply.status, reply.json)
    assert reply.headers["x-correlation-id"] == str(row["id"])
    assert opened(world, row["body_sealed"]) == sale()
    assert request.headers["x-custom"] == "kept"
    assert ("perfectpay", world.connection.id, world.clock.now()) == (
        row["gateway"],
        row["connection_id"],
        row["received_at"],
    )


async def test_same_body_again_is_the_same_receipt(world: "World") -> None:
    first = await world.webhook(sale())
    again = await world.webhook(sale())

    (row,) = await world.rows(RECEIPTS)
    assert again.json == {"receipt_id": first.json["receipt_id"], "repeat": True}
    assert row["repeats"] == 1


async def test_same_body_many_times_at_once_is_one_receipt(world: "World") -> None:
    replies = await asyncio.gather(*(world.webhook(sale()) for _ in range(50)))

    (row,) = await world.rows(RECEIPTS)
    assert {(200, str(row["id"]))} == {(one.status, one.json["receipt_id"]) for one in replies}
    assert [False] + [True] * 49 == sorted(one.json["repeat"] for one in replies)
    assert row["repeats"] == 49


async def test_tenant_by_header_finds_the_connection_whose_proof_passes(world: "World") -> None:
    second = await world.connect(Secret("another-token-0123456789abcdefghi"))
    path, tenant = "/api/v1/webhooks/perfectpay", str(world.tenant.id)
    older = await world.call("POST", path, sale(), x_tenant_id=tenant)
    newer = await world.call(
        "POST", path, sale("another-token-0123456789abcdefghi"), x_tenant_id=tenant
    )

    rows = await world.rows(RECEIPTS)
    assert (200, 200) == (older.status, newer.status)
    assert [world.connection.id, second.id] == [row["connection_id"] for row in rows]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (sale("wrong-token-0123456789abcdefghijk"), "signature_mismatch"),
        (sale(None), "signature_missing"),
        (b"not json", "body_unreadable"),
        (b"[" * 100_000, "body_unreadable"),
        (b"\x00\xff\xfe", "body_unreadable"),
    ],
    ids=["wrong", "missing", "unreadable", "deep", "binary"],
)
async def test_webhook_without_proof_is_401_counted_and_kept_apart(
    world: "World", body: bytes, reason: str
) -> None:
    labels = {"gateway": "perfectpay", "reason": reason}
    name = "trackai_webhook_proof_failures_total"
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    reply = await world.webhook(body)
    good = await world.webhook(sale())

    (kept,) = await world.rows(REJECTIONS)
    assert (401, "proof_failed", reason) == (
        reply.status,
        reply.code,
        reply.json["error"]["reason"],
    )
    assert (reason, dt.timedelta(days=1)) == (
        kept["reason"],
        kept["expires_at"] - kept["received_at"],
    )
    assert REGISTRY.get_sample_value(name, labels) == before + 1
    assert good.status == 200
    assert len(await world.rows(RECEIPTS)) == 1


async def test_connection_without_a_usable_secret_proves_nothing(world: "World") -> None:
    world.connection = await world.connect(Secret("  "), Secret(""))
    reply = await world.webhook(sale(""))

    assert (401, "no_secret") == (reply.status, reply.json["error"]["reason"])


async def test_rejections_of_a_connection_are_bounded_and_stay_401(world: "World") -> None:
    replies = await asyncio.gather(*(world.webhook(sale("x" * 32, f"{n}")) for n in range(230)))

    assert {401} == {reply.status for reply in replies}
    assert 0 < len(await world.rows(REJECTIONS)) <= 200


async def test_of_many_rejections_the_newest_are_kept(world: "World") -> None:
    for number in range(201):
        await world.webhook(sale("x" * 32, f"{number}"))
    before = [row["id"] for row in await world.rows(REJECTIONS)]
    await world.webhook(sale("x" * 32, "last"))
    kept = [row["id"] for row in await world.rows(REJECTIONS)]

    assert len(kept) == 200
    assert kept[:-1] == before[1:]


async def test_whoever_knows_the_tenant_alone_pushes_no_evidence_out(world: "World") -> None:
    await world.webhook(sale("x" * 32, "to the address with the key"))
    (evidence,) = await world.rows(REJECTIONS)
    await asyncio.gather(
        *(
            world.call(
                "POST",
                "/api/v1/webhooks/perfectpay",
                sale("x" * 32, f"{n}"),
                x_tenant_id=str(world.tenant.id),
            )
            for n in range(210)
        )
    )

    assert evidence["id"] in {row["id"] for row in await world.rows(REJECTIONS)}


async def test_old_secret_counts_until_its_rotation_ends(world: "World") -> None:
    ends = world.clock.now() + dt.timedelta(hours=1)
    world.connection = await world.connect(Secret("n" * 32), Secret(TOKEN, valid_until=ends))
    during = [(await world.webhook(sale(token, "A"))).status for token in (TOKEN, "n" * 32)]
    world.clock.moment = ends
    after = [(await world.webhook(sale(token, "B"))).status for token in (TOKEN, "n" * 32)]

    assert [200, 200] == during
    assert [401, 200] == after


async def test_new_secret_counts_a_second_after_it_was_set(world: "World") -> None:
    assert (await world.webhook(sale())).status == 200

    async with world.people.transaction(tenant_id=world.tenant.id) as tx:
        await set_secrets(
            tx,
            world.envelope,
            tenant_id=world.tenant.id,
            connection_id=world.connection.id,
            secrets=(Secret("n" * 32),),
        )
    async with asyncio.timeout(PATIENCE_S):
        while (await world.webhook(sale("n" * 32))).status != 200:
            pass


async def test_wrong_key_and_wrong_gateway_get_the_same_404(world: "World") -> None:
    key = world.connection.endpoint_key
    paths = [
        "perfectpay/unknown-key",
        f"nopay/{key}",
        f"hotmart/{key}",
        f"perfectpay/{key}/more",
        "perfectpay/",
        "perfectpay/%00",
        "perfectpay/" + "k" * 5000,
        "nopay",
        "",
    ]
    replies = [
        await world.call(
            "POST", f"/api/v1/webhooks/{path}", sale(), x_tenant_id=str(world.tenant.id)
        )
        for path in paths
    ]

    assert {404} == {reply.status for reply in replies}
    assert len({reply.text for reply in replies}) == 1
    assert key not in replies[0].text


async def test_tenant_by_header_must_exist_and_be_named(world: "World") -> None:
    path = "/api/v1/webhooks/perfectpay"
    nobody = await world.call("POST", path, sale(), x_tenant_id=str(new_id()))
    unnamed = await world.call("POST", path, sale())

    public = await world.call("POST", path, sale(), x_site_key=world.tenant.site_key)
    in_query = await world.call("POST", f"{path}?site_key={world.tenant.site_key}", sale())

    assert (404, "unknown_tenant") == (nobody.status, nobody.code)
    # The site key stands on the page for all to read; it opens nothing here.
    for reply in (unnamed, public, in_query):
        assert (400, "tenant_missing") == (reply.status, reply.code)


async def test_another_tenants_secret_proves_nothing_here(
    world: "World", build: "BuildWorld"
) -> None:
    other = await build()
    other.connection = await other.connect(Secret("o" * 32))
    reply = await world.webhook(sale("o" * 32))

    assert reply.status == 401
    assert await other.rows(RECEIPTS) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "DELETE"])
async def test_other_methods_are_405_with_allow(world: "World", method: str) -> None:
    path = f"/api/v1/webhooks/perfectpay/{world.connection.endpoint_key}"
    reply = await world.call(method, path)

    assert (405, "POST") == (reply.status, reply.headers["allow"])


async def test_body_over_one_mebibyte_is_413_and_one_below_is_kept(world: "World") -> None:
    def padded(size: int) -> bytes:
        body = json.dumps({"token": TOKEN, "pad": ""}).encode()
        return body[:-2] + b"x" * (size - len(body)) + body[-2:]

    fits = await world.webhook(padded(1024 * 1024))
    over = await world.webhook(padded(1024 * 1024 + 1))

    assert (200, 413) == (fits.status, over.status)
    assert over.code == "body_too_large"


async def test_compressed_webhook_is_415(world: "World") -> None:
    reply = await world.webhook(b"\x1f\x8b", content_encoding="gzip")

    assert (415, "unsupported_body") == (reply.status, reply.code)


async def test_content_type_does_not_matter(world: "World") -> None:
    types = ["application/x-www-form-urlencoded", "text/xml", "application/json; charset=latin-1"]
    statuses = [
        (await world.webhook(sale(code=f"T{number}"), content_type=kind)).status
        for number, kind in enumerate(types)
    ]

    assert [200, 200, 200] == statuses


class Recorder:
    """A platform that signs nothing: takes all and remembers what it was shown."""

    name = title = "recorder"
    click_parameters = ("recorder",)
    checkout_hosts = ("recorder.example",)

    def __init__(self) -> None:
        self.seen: list[InboundRequest] = []

    def verify(self, request: InboundRequest, secrets: "Sequence[str]") -> ProofFailure | None:
        self.seen.append(request)
        if request.body == b"crash":
            raise ValueError("maria@example.com")
        return None if secrets else ProofFailure.NO_SECRET

    def parse(self, request: InboundRequest) -> NotASale:
        return NotASale(request.query, "recorded")


async def test_gateway_sees_bytes_headers_and_query_as_received(build: "BuildWorld") -> None:
    recorder = Recorder()
    world = await build({"perfectpay": recorder})
    path = f"/api/v1/webhooks/perfectpay/{world.connection.endpoint_key}?signature=a%2Bb&x=+"
    form = b"a=%C3%A9&b=\xff\x00"
    await world.call("POST", path, form, content_type="application/x-www-form-urlencoded")

    (seen,) = recorder.seen
    assert (form, "signature=a%2Bb&x=+") == (seen.body, seen.query)
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    assert seen.received_at == world.clock.now()


async def test_headers_kept_are_bounded(build: "BuildWorld") -> None:
    world = await build({"perfectpay": Recorder()})
    reply = await world.webhook(b"x", **{f"x_{number}": "v" * 7000 for number in range(6)})

    (row,) = await world.rows(RECEIPTS)
    assert reply.status == 200
    assert len(row["request_sealed"]) < 20_000


async def test_bug_is_500_and_logs_where_but_not_what(
    build: "BuildWorld", capsys: pytest.CaptureFixture[str]
) -> None:
    world = await build({"perfectpay": Recorder()})
    reply = await world.webhook(b"crash")
    good = await world.webhook(b"fine")

    printed = capsys.readouterr()
    logged = printed.out + printed.err
    assert (500, "internal_error") == (reply.status, reply.code)
    assert good.status == 200
    assert "ValueError" in logged
    assert logged.count("edge.failed") == 1
    assert "maria" not in logged + reply.text
    assert world.connection.endpoint_key not in logged
