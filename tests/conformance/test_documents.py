"""A buyer's CPF or CNPJ never leaves: neither in clear nor as a digest, which trying undoes."""

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from trackai.destinations.meta.payload import Built, build_event
from trackai.gateways.port import InboundRequest
from trackai.gateways.registry import gateways
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.delivery import OutgoingEvent
from trackai.model.match import ClickCandidate
from trackai.model.notice import NotASale, Notice

GATEWAYS = gateways()
BODIES = Path(__file__).parents[1] / "gateways"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CLICK = ClickCandidate(
    "c1",
    NOW - dt.timedelta(hours=1),
    AdIdentifiers(fbclid="IwAR_AbC"),
    Visitor("177.10.20.30", "Mozilla/5.0"),
    "https://exemplo.com.br/curso",
    None,
)
DOCUMENTS = ("529.982.247-25", "52998224725", "11.222.333/0001-81", "11222333000181")
# All that Meta's page names, and what this product sends of it.
USER_DATA = frozenset(
    """em ph fn ln db ct st zp country client_ip_address client_user_agent fbc fbp""".split()
)


def notices(gateway: str) -> list[Notice]:
    """Return the sales that a gateway's recorded bodies tell of."""
    found: list[Notice] = []
    for path in sorted((BODIES / gateway).glob("*.json")):
        if path.name.startswith("_") or path.name.endswith(".expected.json"):
            continue
        parsed = GATEWAYS[gateway].parse(InboundRequest(path.read_bytes(), {}, "", NOW))
        found += [] if isinstance(parsed, NotASale) else parsed
    return found


def sent(gateway: str, notice: Notice) -> bytes:
    event = OutgoingEvent(
        delivery_id=uuid.UUID(int=1),
        event_name="Lead",
        event_id="1",
        event_time=NOW,
        gateway=gateway,
        transaction="T1",
        money=None,
        product=notice.product,
        buyer=notice.buyer,
        tracking=notice.tracking,
        click=CLICK,
    )
    result = build_event(event, NOW)
    assert isinstance(result, Built)
    return result.json


def traces(document: str) -> list[str]:
    """Return every way in which a document could stand in an event."""
    digits = "".join(char for char in document if char.isdigit())
    forms = (document, digits, f"55{digits}", f"+55{digits}", digits.lstrip("0"), f"{digits} ")
    digests = [
        hashlib.new(name, form.encode(), usedforsecurity=False).hexdigest()
        for name in ("sha256", "sha1", "md5")
        for form in forms
        if form
    ]
    return [trace for trace in (document, digits, *digests) if trace]


@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_trace_of_a_buyers_document_is_sent(gateway: str, document: str) -> None:
    for notice in notices(gateway):
        bearing = replace(notice, buyer=replace(notice.buyer, document=document))
        text = sent(gateway, bearing).decode()

        assert [] == [trace for trace in traces(document) if trace in text]
        assert (
            text
            == sent(gateway, replace(bearing, buyer=replace(bearing.buyer, document=None))).decode()
        )


@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
def test_documents_in_recorded_bodies_are_read_and_not_sent(gateway: str) -> None:
    for notice in notices(gateway):
        if notice.buyer.document:
            text = sent(gateway, notice).decode()

            assert [] == [trace for trace in traces(notice.buyer.document) if trace in text]


def test_most_gateways_bodies_bring_documents() -> None:
    bringing = {name for name in GATEWAYS if any(each.buyer.document for each in notices(name))}

    assert len(bringing) * 2 > len(GATEWAYS)


@pytest.mark.parametrize("gateway", sorted(GATEWAYS))
def test_user_data_holds_known_keys_alone(gateway: str) -> None:
    keys = {
        key for each in notices(gateway) for key in json.loads(sent(gateway, each))["user_data"]
    }

    assert keys <= USER_DATA
    assert {"em", "fbc"} <= keys
