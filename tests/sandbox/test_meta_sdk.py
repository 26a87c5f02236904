"""Meta's own SDK against the stand-in: what it sends is taken, what it hears it understands."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.event_request_async import EventRequestAsync
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.meta.app import APP_ID, APP_SECRET

DATASET = "1234567890"
TOKEN = "EAAsandboxtoken"


@pytest.fixture
async def sdk(
    meta: MetaSandbox, serve: Callable[[Any], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> MetaSandbox:
    """The SDK pointed at the stand-in instead of graph.facebook.com."""
    monkeypatch.setattr(FacebookSession, "GRAPH", await serve(meta))
    monkeypatch.setattr(FacebookAdsApi, "_default_api", None)
    FacebookAdsApi.init(APP_ID, APP_SECRET, TOKEN, crash_log=False)
    return meta


def sale(clock: Any, **user: Any) -> Event:
    return Event(
        event_name="Purchase",
        event_time=int(clock.now().timestamp()),
        event_id="hotmart:HP1",
        action_source=ActionSource.WEBSITE,
        event_source_url="https://curso.example.com/",
        user_data=UserData(**user),
        custom_data=CustomData(value=197.0, currency="brl"),
    )


async def test_the_synchronous_sdk_is_understood(sdk: MetaSandbox, clock: Any) -> None:
    request = EventRequest(pixel_id=DATASET, events=[sale(clock, email="maria@example.com")])

    answer = await asyncio.to_thread(request.execute)

    assert answer.events_received == 1
    assert [e.event_id for e in sdk.accepted()] == ["hotmart:HP1"]


async def test_the_asynchronous_sdk_is_understood(sdk: MetaSandbox, clock: Any) -> None:
    events = [sale(clock, email="maria@example.com", phone="5511999999999")]

    answer = await EventRequestAsync(DATASET, events).execute()

    assert answer.events_received == 1
    assert {"em", "ph"} == sdk.accepted()[0].payload["user_data"].keys()


@pytest.mark.usefixtures("sdk")
async def test_the_sdk_reads_code_and_subcode_of_a_refusal(clock: Any) -> None:
    request = EventRequest(pixel_id=DATASET, events=[sale(clock, client_user_agent="Mozilla/5.0")])

    with pytest.raises(FacebookRequestError) as refused:
        await asyncio.to_thread(request.execute)

    assert (refused.value.api_error_code(), refused.value.api_error_subcode()) == (100, 2804050)
