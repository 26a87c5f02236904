"""Webhooks whose secret is at AWS Secrets Manager: changed while they come, and away."""

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from tests.secrets.conftest import cloud, keeper
from tests.support.safe import Amazon

from trackai.model.clock import new_id
from trackai.model.tenant import Secret
from trackai.secrets.opening import open_secrets

if TYPE_CHECKING:
    from tests.ingest.conftest import BuildWorld, Reply, World
    from types_aiobotocore_secretsmanager import SecretsManagerClient

__all__ = ["cloud", "keeper"]

OLD, NEW = "made-up-old-secret-0123456789", "made-up-new-secret-0123456789"
RECEIPTS = "select id from webhook_receipts where tenant_id = $1"
REJECTIONS = "select id from webhook_rejections where tenant_id = $1"


def sale(token: str, code: str = "PPCPMTB1") -> bytes:
    """A PerfectPay postback."""
    return json.dumps({"code": code, "sale_status_enum": 2, "token": token}).encode()


@pytest.fixture
async def name(keeper: "SecretsManagerClient") -> str:
    made = f"trackai/test/{new_id()}"
    await keeper.create_secret(Name=made, SecretString=OLD)
    return made


@pytest.fixture
async def world(build: "BuildWorld", name: str) -> AsyncIterator["World"]:
    """An edge and a connection whose secret is at Amazon."""
    async with open_secrets() as secrets:
        made = await build(secrets=secrets)
        made.connection = await made.connect(Secret(f"aws:{name}"))
        yield made


async def _until(world: "World", status: int, body: bytes) -> "Reply":
    """Send until it is answered so: secrets are looked up once a second at most."""
    while True:
        reply = await world.webhook(body)
        if reply.status == status:
            return reply


async def test_a_webhook_is_proved_by_what_amazon_keeps(world: "World") -> None:
    good, forged = await world.webhook(sale(OLD)), await world.webhook(sale("forged"))

    assert (200, 401) == (good.status, forged.status)
    assert 1 == len(await world.rows(RECEIPTS))


async def test_a_place_is_not_a_secret(world: "World", name: str) -> None:
    reply = await world.webhook(sale(f"aws:{name}"))

    assert 401 == reply.status


async def test_a_secret_changed_at_amazon_proves_without_a_restart_and_the_one_before_still_does(
    world: "World", keeper: "SecretsManagerClient", name: str
) -> None:
    before = await world.webhook(sale(OLD, "ONE"))
    await keeper.put_secret_value(SecretId=name, SecretString=NEW)
    await _until(world, 200, sale(NEW, "TWO"))
    late = await world.webhook(sale(OLD, "THREE"))

    assert (200, 200) == (before.status, late.status)
    assert 3 == len(await world.rows(RECEIPTS))


async def test_while_amazon_is_away_webhooks_are_proved_by_what_was_known(
    world: "World", cloud: Amazon
) -> None:
    await world.webhook(sale(OLD, "ONE"))
    cloud.go()
    forged = await world.webhook(sale("forged"))
    good = await world.webhook(sale(OLD, "TWO"))

    assert (401, 200) == (forged.status, good.status)


async def test_a_webhook_that_nobody_can_judge_is_sent_again_not_refused(
    world: "World", cloud: Amazon
) -> None:
    cloud.go()
    away = await world.webhook(sale(OLD))
    cloud.come()
    await _until(world, 200, sale(OLD))

    assert 503 == away.status
    assert 0 < int(away.headers["retry-after"])
    assert 1 == len(await world.rows(RECEIPTS))
    assert [] == await world.rows(REJECTIONS)


async def test_a_wrong_name_refuses_no_webhook_for_good_and_is_told(world: "World") -> None:
    world.connection = await world.connect(Secret("aws:trackai/test/no-such"))
    with capture_logs() as logs:
        reply = await world.webhook(sale(OLD))

    assert 503 == reply.status
    assert "no-such" not in reply.text
    assert "secret.missing" in {one["event"] for one in logs}


async def test_one_connection_that_cannot_be_judged_does_not_keep_another_from_it(
    world: "World",
) -> None:
    await world.connect(Secret("aws:trackai/test/no-such"))
    path, tenant = "/api/v1/webhooks/perfectpay", str(world.tenant.id)
    reply = await world.call("POST", path, sale(OLD), x_tenant_id=tenant)

    assert 200 == reply.status


async def test_no_value_is_ever_in_a_log_or_an_answer(
    world: "World", keeper: "SecretsManagerClient", cloud: Amazon, name: str
) -> None:
    with capture_logs() as logs:
        replies = [await world.webhook(sale(one)) for one in (OLD, "forged")]
        await keeper.put_secret_value(SecretId=name, SecretString=NEW)
        replies.append(await _until(world, 200, sale(NEW, "TWO")))
        cloud.go()
        replies.append(await world.webhook(sale("forged")))
    said = repr(logs) + repr([(one.text, one.headers) for one in replies])

    assert OLD not in said
    assert NEW not in said
