"""What visitors and platforms send is in no log and in no error, whatever goes wrong."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.ingest.conftest import World

MAIL, PHONE, AGENT = "maria.silva@example.com", "11987654321", "SecretAgent/7"
EVERYTHING_STORED = """
select (select json_agg(c) from clicks c where tenant_id = $1)::text
  || (select json_agg(e) from page_events e where tenant_id = $1)::text
  || (select json_agg(i) from identities i where tenant_id = $1)::text
  || (select json_agg(r) from webhook_receipts r where tenant_id = $1)::text
  || (select json_agg(r) from webhook_rejections r where tenant_id = $1)::text as text
"""


async def test_personal_data_is_neither_logged_nor_answered_nor_stored_in_the_open(
    world: "World",
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    lead = {"click_id": "c1", "email": MAIL, "phone": PHONE, "external_id": MAIL}
    page = f"https://curso.example.com/?email={MAIL}#{PHONE}"
    sale = {"token": "perfectpay-token-0123456789abcdef", "customer": {"email": MAIL}}
    replies = [
        await world.track("click", {"click_id": "c1", "page_url": page}, user_agent=AGENT),
        await world.track("lead", lead, user_agent=AGENT),
        await world.track("lead", lead | {"click_id": MAIL}),
        await world.track("lead", lead | {"email_sha256": MAIL}),
        await world.track("lead", lead | {"client_time": MAIL}),
        await world.track("lead", {MAIL: MAIL, "phone": [PHONE]}),
        await world.track("lead", f'{{"email":"{MAIL}"'.encode()),
        await world.track("lead", lead, content_type=MAIL),
        await world.track("lead", lead, x_site_key=MAIL),
        await world.webhook(json.dumps(sale).encode(), user_agent=AGENT),
        await world.webhook(json.dumps(sale | {"token": MAIL}).encode(), user_agent=AGENT),
        await world.webhook(f"<{MAIL}>".encode()),
    ]
    await world.ingest.close()
    replies.append(await world.track("lead", lead))

    printed = capsys.readouterr()
    (stored,) = await world.rows(EVERYTHING_STORED)
    seen = "".join(
        [printed.out, printed.err, caplog.text, stored["text"], *(one.text for one in replies)]
    )
    assert [201, 201, 422, 422, 422, 422, 400, 415, 404, 200, 401, 401, 503] == [
        one.status for one in replies
    ]
    assert "edge.commit_failed" in seen
    assert [] == [
        secret
        for secret in (MAIL, PHONE, AGENT, "127.0.0.1", world.connection.endpoint_key)
        if secret in seen
    ]
