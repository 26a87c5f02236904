"""On a screen nobody can be reached: every gateway's bodies, and whatever else a body may be."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from trackai.gateways.port import InboundRequest
from trackai.gateways.registry import gateways
from trackai.model.notice import Buyer, NotASale
from trackai.privacy.masking import mask, mask_body, mask_headers, mask_query, mask_text

BODIES = sorted(
    path
    for path in (Path(__file__).parents[2] / "gateways").glob("*/*.json")
    if not path.name.endswith(".expected.json") and not path.name.startswith("_")
)
NOON = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
# Shorter than this, a word is found anywhere by chance.
WORD = 4
# What the platform's own example calls its customer, its offer and its product.
EVERYBODY_AND_EVERYTHING = "Example"


def buyers_of(path: Path) -> list[Buyer]:
    request = InboundRequest(path.read_bytes(), {}, "", NOON)
    try:
        parsed = gateways()[path.parent.name].parse(request)
    except Exception:  # noqa: BLE001 - some fixtures are not understood on purpose
        return []
    return [] if isinstance(parsed, NotASale) else [one.buyer for one in parsed]


def words_of(buyer: Buyer) -> set[str]:
    """Return what a screen must not show of a buyer."""
    texts = {
        *(buyer.email, buyer.phone, buyer.document, buyer.client_ip, buyer.zip_code),
        *(buyer.full_name, buyer.user_agent),
    } - {None}
    return {
        word
        for text in texts
        if text and len(word := text.strip()) >= WORD and word != EVERYBODY_AND_EVERYTHING
    }


@pytest.mark.parametrize("path", BODIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_gateways_body_shows_its_buyer(path: Path) -> None:
    masked = mask_body(path.read_bytes())

    digits = re.sub(r"\D", "", masked)
    for buyer in buyers_of(path):
        for word in words_of(buyer):
            assert word not in masked
            number = re.sub(r"\D", "", word)
            assert len(number) < 8 or len(number) != len(word.strip("+")) or number not in digits


def test_enough_buyers_were_looked_for() -> None:
    words = [word for path in BODIES for buyer in buyers_of(path) for word in words_of(buyer)]

    assert len(words) > 100


def test_what_a_sale_is_about_can_be_read() -> None:
    body = json.dumps(
        {
            "order_id": "HP0123",
            "status": "paid",
            "amount": 19700,
            "created_at": "2026-11-26T10:00:00-03:00",
            "product": {"id": "P1", "name": "Curso de violão"},
            "customer": {"name": "Maria Souza", "extra": {"deep": ["Rua das Flores 7"]}},
            "utm_campaign": "lancamento",
        }
    )

    masked = mask_body(body.encode())

    for shown in ("HP0123", "paid", "19700", "2026-11-26T10:00:00-03:00", "Curso de violão"):
        assert shown in masked
    for hidden in ("Maria", "Souza", "Flores"):
        assert hidden not in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("maria.souza@example.com.br", "m***@e***"),
        ("call +55 (11) 98765-4321 now", "call ***21 now"),
        ("CPF 314.159.265-00", "CPF ***00"),
        ("CPF 31415926500", "CPF ***00"),
        ("from 203.0.113.9", "from 203.***"),
        ("from 2001:db8:0:1:1:1:1:1", "from ***"),
        ("a" * 64, "***"),
        ("2026-11-26", "2026-11-26"),
        ("paid 19700", "paid 19700"),
        ("maria%40example.com", "maria%40example.com"),
    ],
)
def test_in_a_text_what_reaches_a_person_is_masked(text: str, masked: str) -> None:
    assert masked == mask_text(text)


def test_a_form_and_a_query_are_masked_field_by_field() -> None:
    text = "email=maria%40example.com&status=paid&cel=11987654321&token=abc"

    for masked in (mask_query(text), mask_body(text.encode())):
        assert masked == "email=m***@e***&status=paid&cel=***21&token=a***"


def test_headers_show_the_form_of_the_request_alone() -> None:
    headers = {"Content-Type": "application/json", "X-Hotmart-Hottok": "secret", "User-Agent": "x"}

    assert mask_headers(headers) == {
        "Content-Type": "application/json",
        "X-Hotmart-Hottok": "s***",
        "User-Agent": "x***",
    }


def test_nothing_is_masked_to_nothing() -> None:
    assert (mask(" "), mask("@"), mask("7")) == (" ", "***", "***7")
