"""Posting webhooks over real HTTP: the query, the retries, what counts as taken."""

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from trackai.sandbox.asgi import Reply, Request, read_request, send_reply
from trackai.sandbox.platforms import SignedWebhook
from trackai.sandbox.platforms.deliver import Delivered, address, deliver

if TYPE_CHECKING:
    from tests.conftest import Serve

WEBHOOK = SignedWebhook(b'{"a":1}', {"X-Proof": "yes"}, query="signature=abc")


class Receiver:
    """Answers with the statuses it is given, one a request; keeps what it heard."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.heard: list[Request] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive, max_body=10_000)
        assert request is not None
        self.heard.append(request)
        await send_reply(self.replies.pop(0), receive, send)


class Pauses:
    """Notes how long was slept and does not sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_a_webhook_arrives_as_it_is_with_its_query_appended(
    serve: "Serve", http: aiohttp.ClientSession
) -> None:
    receiver = Receiver(Reply(200))

    answer = await deliver(http, await serve(receiver) + "/hook?x=1", WEBHOOK)

    assert answer == Delivered(200, 1)
    assert answer.taken
    heard = receiver.heard[0]
    assert (heard.body, heard.headers["x-proof"]) == (b'{"a":1}', "yes")
    assert heard.query == {"x": "1", "signature": "abc"}


async def test_refusals_cut_connections_and_redirects_are_tried_again(
    serve: "Serve", http: aiohttp.ClientSession
) -> None:
    receiver = Receiver(
        Reply(500), Reply(200, cut=True), Reply(302, headers={"location": "/"}), Reply(201)
    )
    pauses = Pauses()

    answer = await deliver(http, await serve(receiver), WEBHOOK, sleep=pauses)

    assert answer == Delivered(201, 4)
    assert pauses.slept == [0.5, 1.0, 2.0]


async def test_the_tries_end(serve: "Serve", http: aiohttp.ClientSession) -> None:
    receiver = Receiver(Reply(503), Reply(401))

    answer = await deliver(http, await serve(receiver), WEBHOOK, tries=2, sleep=Pauses())

    assert answer == Delivered(401, 2)
    assert not answer.taken


async def test_an_answer_that_does_not_come_in_time_is_none(
    serve: "Serve", http: aiohttp.ClientSession
) -> None:
    receiver = Receiver(Reply(200, stall_s=30))

    answer = await deliver(
        http, await serve(receiver), WEBHOOK, tries=1, timeout_s=0.05, sleep=Pauses()
    )

    assert answer == Delivered(None, 1)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("http://a/b", "http://a/b?signature=abc"),
        ("http://a/b?c=d", "http://a/b?c=d&signature=abc"),
    ],
)
def test_the_query_joins_one_that_is_there(url: str, whole: str) -> None:
    assert address(url, WEBHOOK) == whole
