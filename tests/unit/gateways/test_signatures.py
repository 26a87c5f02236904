"""Comparisons of tokens and HMACs."""

import hashlib
import hmac

import pytest

from trackai.gateways.port import ProofFailure
from trackai.gateways.signatures import (
    header_text,
    prove_hmac,
    prove_token,
    prove_token_in_body,
    usable,
)

MESSAGE = b'{"a":1}'


def sign(secret: str, message: bytes = MESSAGE) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def test_blank_secrets_are_not_usable() -> None:
    assert usable(["", " ", "\n", "one"]) == [b"one"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("segredo-ç", None),
        ("Segredo-ç", ProofFailure.MISMATCH),
        ("segredo-ç ", ProofFailure.MISMATCH),
        ("segredo-", ProofFailure.MISMATCH),
        ("", ProofFailure.MISSING),
        (None, ProofFailure.MISSING),
        (12, ProofFailure.MALFORMED),
        (["segredo-ç"], ProofFailure.MALFORMED),
    ],
)
def test_a_token_must_be_the_very_text(given: object, expected: ProofFailure | None) -> None:
    assert expected == prove_token(given, ["segredo-ç"])


def test_a_token_from_a_broken_text_is_compared_and_refused() -> None:
    assert prove_token("\ud800", ["a"]) is ProofFailure.MISMATCH


def test_a_body_that_cannot_be_read_is_told_apart_from_a_wrong_token() -> None:
    unreadable = prove_token_in_body(b'{"token":', "token", ["a"])

    assert unreadable is ProofFailure.BODY_UNREADABLE
    assert prove_token_in_body(b'{"token":"b"}', "token", ["a"]) is ProofFailure.MISMATCH
    assert prove_token_in_body(b'{"token":', "token", [""]) is ProofFailure.NO_SECRET


def test_the_hmac_of_an_empty_key_never_passes() -> None:
    assert prove_hmac("sha256", [MESSAGE], [sign("")], [""]) is ProofFailure.NO_SECRET
    assert prove_hmac("sha256", [MESSAGE], [sign("")], ["", "a"]) is ProofFailure.MISMATCH


def test_any_signature_may_fit_any_message_and_any_secret() -> None:
    given = ["0" * 64, sign("b", b"other"), "ÿ"]

    assert prove_hmac("sha256", [MESSAGE, b"other"], given, ["a", "b"]) is None
    assert prove_hmac("sha256", [MESSAGE], given, ["a", "b"]) is ProofFailure.MISMATCH


def test_capitals_are_another_signature() -> None:
    assert prove_hmac("sha256", [MESSAGE], [sign("a").upper()], ["a"]) is ProofFailure.MISMATCH


def test_a_header_in_utf_8_is_read_as_its_sender_meant_it() -> None:
    as_servers_hand_it_over = "segredo-ç".encode().decode("latin-1")

    assert header_text(as_servers_hand_it_over) == "segredo-ç"
    assert header_text("já-€") == "já-€"
    assert header_text("\xff") == "\xff"
