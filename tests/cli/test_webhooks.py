"""Looking at webhooks from the command line, and working on them again."""

import asyncio
import hashlib
import hmac
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from tests.support.program import Place, Program

from tests.support.customer import until

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
        again = await asyncio.to_thread(
            place.json, "webhooks", "reprocess", "Loja", "--state", "failed"
        )
        await until(lambda: _processed(program) == 2, "the receipt worked on again")
        (listed,) = await asyncio.to_thread(place.json, "webhooks", "list", "Loja")

    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert failed["reason"]
    assert rejected["reason"]
    assert again == {"receipts_put_back": 1}
    assert (listed["state"], listed["attempts"]) == ("failed", 2)


def _processed(program: "Program") -> int:
    return sum(line.get("event") == "receipt.processed" for line in program.said())
