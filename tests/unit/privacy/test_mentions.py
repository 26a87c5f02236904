"""Whom a body names, whatever its shape."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.privacy.mentions import mentions
from trackai.privacy.person import Person

ANA = Person.named(email="ana.souza@example.com", phone="5511987654321")
(SHA,) = (key.hex() for key in Person.named(email="ana.souza@example.com").keys)
(MD5,) = (key.hex() for key in Person.named(email="ana.souza@example.com").others)


def names_ana(body: str | bytes, *texts: str) -> bool:
    raw = body.encode() if isinstance(body, str) else body
    return not ANA.marks.isdisjoint(mentions(raw, *texts).keys)


@pytest.mark.parametrize(
    "body",
    [
        '{"customer": {"email": "Ana.Souza@Example.com "}}',
        '{"customer": {"email": "ana.souza\\u0040example.com"}}',
        '{"note": "From: Ana <ana.souza@example.com>; call back."}',
        '{"ana.souza@example.com": 1}',
        '{"link": "https://pay.example/x?email=ana.souza%40example.com&src=1"}',
        '{"inner": "{\\"email\\":\\"ana.souza@example.com\\"}"}',
        "email=ana.souza%40example.com&event=x",
        "nothing but ana.souza@example.com.",
        '[1, 2, ["ana.souza@example.com"]]',
        json.dumps({"hash": SHA}),
        json.dumps({"md5": f"x:{MD5.upper()}"}),
        '{"phone": "+55 (11) 98765-4321"}',
        '{"phone": 11987654321}',
        '{"phone": "(11) 8765-4321"}',
        '{"text": "Tel. 11 98765-4321, after six"}',
        '{"text": "called 2024-01-02 10 11 98765-4321 3"}',
        '{"text": "Tel. +55 (11) 98765-4321 / +55 (21) 3456-7890"}',
        '{"phone_area_code": "11", "phone_number": "98765-4321"}',
        '{"ddd": 11, "fone": 987654321}',
        '{"phone_extension": "55", "phone_area_code": "11", "phone_number": "987654321"}',
        '{"checkout_phone_code": "011", "checkout_phone": "987654321"}',
        '{"phone_extension": "+55", "phone_local_code": "(11)", "phone_number": "8765-4321"}',
    ],
)  # fmt: skip
def test_a_body_names_the_person(body: str) -> None:
    assert names_ana(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"email": "mariana.souza@example.com"}',
        '{"email": "ana.souza@example.com.br"}',
        '{"phone": "21 98765-4321"}',
        '{"phone_area_code": "21", "phone_number": "98765-4321"}',
        '{"order": "551198765432100"}',
        "",
        "{",
        "[]",
        "null",
    ],
)
def test_a_body_does_not_name_the_person(body: str) -> None:
    assert not names_ana(body)


def test_what_stands_around_a_body_is_read_too() -> None:
    assert names_ana(b"{}", "buyer=ana.souza@example.com")


@pytest.mark.parametrize("char", ["a", "@", "1", "0a", "%40", "{", '["', "a@", "+1-", "1 ", "12 "])
def test_a_body_made_to_take_long_does_not(char: str) -> None:
    started = time.process_time()
    mentions(char.encode() * (1024 * 1024 // len(char)))
    mentions(json.dumps({"x": char * (1024 * 1024 // len(char))}).encode())

    assert time.process_time() - started < 20


def test_short_texts_are_kept_for_codes() -> None:
    assert {"HP123", "7"} <= mentions(b'{"transaction": " HP123", "n": 7}').words


@given(st.binary(max_size=300))
def test_no_body_breaks_it(body: bytes) -> None:
    assert mentions(body, "").words is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_the_address_is_found_wherever_it_stands(around: object) -> None:
    body = json.dumps([around, {"deep": [around, {"mail": "ana.souza@example.com"}]}])

    assert names_ana(body)
