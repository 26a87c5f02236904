"""Looking at webhooks from the command line, and working on them again."""

import asyncio
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from tests.support.program import Place, Program

from tests.support.customer import until

from trackai.gateways.registry import gateway as gateway_named
from trackai.sandbox.platforms import PLATFORMS

SECRET = "kiwify-secret-0123456789"


async def test_an_authentic_body_that_fails_is_listed_and_can_be_worked_on_again(
    place: "Place",
) -> None:
    await asyncio.to_thread(place.json, "tenant", "create", "Loja")
    connected = await asyncio.to_thread(
        place.json, "gateway", "connect", "Loja", "kiwify", "--secret", SECRET
    )
    path = connected["webhook_url"].partition("8400")[2]
    body = b"[1, 2]"
    proof = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    with place.start("up", "--port", "0") as program:
        base = program.wait_for("up")["address"]
        async with aiohttp.ClientSession() as http:
            for signature, status in ((proof, 200), ("0" * 40, 401)):
                url = f"{base}{path}?signature={signature}"
                async with http.post(url, data=body) as answer:
                    assert status == answer.status
        program.wait_for("receipt.processed")
        (failed,) = await asyncio.to_thread(place.json, "webhooks", "failed", "Loja")
        (rejected,) = await asyncio.to_thread(place.json, "webhooks", "rejected", "Loja")
        shown = await asyncio.to_thread(
            place.json, "webhooks", "show", "Loja", failed["receipt_id"], "--reveal"
        )
        masked = await asyncio.to_thread(
            place.json, "webhooks", "show", "Loja", failed["receipt_id"]
        )
        again = await asyncio.to_thread(
            place.json, "webhooks", "reprocess", "Loja", "--state", "failed"
        )
        await until(lambda: _processed(program) == 2, "the receipt worked on again")
        (listed,) = await asyncio.to_thread(place.json, "webhooks", "list", "Loja")
        deeds = await asyncio.to_thread(place.json, "audit", "list", "Loja")
        told = await asyncio.to_thread(place.run, "audit", "list", "Loja")

    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert None not in {failed["reason"], rejected["reason"]}
    assert (shown["body"], shown["query"]) == ("[1, 2]", f"signature={proof}")
    assert proof not in str(masked)
    assert again == {"receipts_put_back": 1}
    assert [row["action"] for row in deeds] == [
        *("webhooks.show", "webhooks.show", "gateway.connect", "funnel.create", "tenant.create"),
    ]
    assert ['"revealed":true' in told.stdout, '"revealed":false' in told.stdout] == [True, True]
    assert (listed["state"], listed["attempts"]) == ("failed", 2)


def _processed(program: "Program") -> int:
    return sum(line.get("event") == "receipt.processed" for line in program.said())


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
def test_a_test_webhook_becomes_a_sale_and_a_forged_one_does_not(
    place: "Place", gateway: str
) -> None:
    secret = gateway_named(gateway).secret_prefix + SECRET
    place.json("tenant", "create", "Loja")
    connected = place.json("gateway", "connect", "Loja", gateway, "--secret", secret)
    path = connected["webhook_url"].partition("8400")[2]
    with place.start("up", "--port", "0") as program:
        url = program.wait_for("up")["address"] + path
        send = ("sandbox", "webhook", gateway, "--url", url, "--secret", secret)
        sent = place.json(*send, "--click-id", "c1", "--amount-minor", "1990")
        forged = place.run(*send, "--forge", "--json")
        program.wait_for("receipt.processed")
        again = place.json(*send, "--transaction", sent["transaction"], "--status", "refunded")

    assert sent["email"].endswith("@example.com")
    assert sent["email"] == again["email"] != json.loads(forged.stdout)["email"]
    assert "proof_failed" in json.loads(forged.stdout)["answer"]
    assert (sent["taken"], sent["http_status"], again["taken"]) == (True, 200, True)
    assert (forged.returncode, json.loads(forged.stdout)["http_status"]) == (1, 401)
    assert place.json("webhooks", "failed", "Loja") == []
    (sale,) = place.json("conversions", "list", "Loja")
    assert sale["amount"] == {"amount_minor": 1990, "currency": "BRL"}
    assert sale["transaction"] == sent["transaction"]


def test_a_test_webhook_that_nobody_answers_says_so(place: "Place") -> None:
    url = "http://127.0.0.1:1/api/v1/webhooks/kiwify/x"
    send = ("sandbox", "webhook", "kiwify", "--url", url, "--secret", SECRET)
    done = place.run(*send, "--email", "ana@example.com", "--phone", "5511988887777", "--json")
    said = json.loads(done.stdout)

    assert (done.returncode, said["http_status"]) == (1, None)
    assert "127.0.0.1" in said["answer"]
    assert (said["email"], said["phone"]) == ("ana@example.com", "5511988887777")
