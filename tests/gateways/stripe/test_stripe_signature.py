"""Stripe's signatures against its own library, which is the oracle."""

import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from trackai.gateways.port import InboundRequest, ProofFailure
from trackai.gateways.stripe.gateway import GATEWAY

HERE = Path(__file__).parent
BODY = (HERE / "payment_intent_succeeded.json").read_bytes()
SECRET = "whsec_test_0123456789abcdef"
NOW = 1_767_225_600
WRONG = "0" * 64


def sign(stamp: int | str, body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def ours(
    header: str, *, body: bytes = BODY, secret: str = SECRET, now: float = NOW
) -> ProofFailure | None:
    at = dt.datetime.fromtimestamp(now, dt.UTC)
    return GATEWAY.verify(InboundRequest(body, {"stripe-signature": header}, "", at), [secret])


def theirs(header: str, *, body: bytes = BODY, secret: str = SECRET, now: float = NOW) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: now)
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, 300)
        except (stripe.SignatureVerificationError, TypeError):  # the latter for what is not ASCII
            return False
    return True


GOOD = sign(NOW)
HEADERS = [
    f"t={NOW},v1={GOOD}",
    f"t={NOW},v1={WRONG},v1={GOOD}",
    f"t={NOW},v1={GOOD},v1={WRONG}",
    f"t={NOW},v1={WRONG},v1={GOOD},v0={WRONG}",
    f"v1={GOOD},t={NOW}",
    f"t={NOW},t=1,v1={GOOD}",
    f"t=1,t={NOW},v1={GOOD}",
    f"t={NOW},v1={WRONG}",
    f"t={NOW},v0={GOOD}",
    f"t={NOW},v1={GOOD.upper()}",
    f"t={NOW},v1={GOOD[:-1]}",
    f"t={NOW},v1={GOOD}0",
    f"t={NOW},v1=",
    f"t={NOW}, v1={GOOD}",
    f"t={NOW},v1={GOOD}=x",
    f"t=0{NOW},v1={GOOD}",
    f"t={NOW + 1},v1={GOOD}",
    f"t=,v1={GOOD}",
    f"t=x,v1={GOOD}",
    f"t={NOW}.0,v1={GOOD}",
    f"t=-{NOW},v1={GOOD}",
    f"v1={GOOD}",
    f"t={NOW}",
    GOOD,
    ",",
    "=",
    f"t={NOW},v1=é",
]


@pytest.mark.parametrize("header", HEADERS)
def test_we_take_and_refuse_what_stripes_library_does(header: str) -> None:
    assert theirs(header) == (ours(header) is None)


@pytest.mark.parametrize("late_by", [-300, -1, 0, 1, 299, 299.9, 300, 300.1, 301, 5000])
def test_old_signatures_are_refused_at_the_same_moment(late_by: float) -> None:
    header, now = f"t={NOW},v1={GOOD}", NOW + late_by

    assert theirs(header, now=now) == (ours(header, now=now) is None)


def test_a_signature_from_far_in_the_future_is_refused_though_the_library_takes_it() -> None:
    header = f"t={NOW},v1={GOOD}"

    assert ours(header, now=NOW - 300) is None
    assert ours(header, now=NOW - 301) is ProofFailure.TOO_OLD
    assert theirs(header, now=NOW - 301)


def test_age_is_told_of_right_signatures_alone() -> None:
    assert ours(f"t={NOW},v1={GOOD}", now=NOW + 301) is ProofFailure.TOO_OLD
    assert ours(f"t={NOW},v1={WRONG}", now=NOW + 301) is ProofFailure.MISMATCH


@pytest.mark.parametrize("secret", ["", " ", "\t\n"])
def test_a_blank_secret_is_refused_as_by_the_library(secret: str) -> None:
    header = f"t={NOW},v1={sign(NOW, secret=secret)}"

    assert ours(header, secret=secret) is ProofFailure.NO_SECRET
    assert not theirs(header, secret=secret)


@given(
    st.text(max_size=80).map(str.encode),
    st.text(min_size=1, max_size=40).filter(str.strip),
    st.integers(0, 10**10),
    st.integers(-400, 400),
)
def test_any_body_and_secret_agree_with_the_library(
    body: bytes, secret: str, stamp: int, late_by: int
) -> None:
    header = f"t={stamp},v1={sign(stamp, body, secret)}"
    now = stamp + max(late_by, -300)

    assert theirs(header, body=body, secret=secret, now=now) == (
        ours(header, body=body, secret=secret, now=now) is None
    )


@pytest.mark.parametrize("vector", json.loads((HERE / "_signature_vectors.json").read_bytes()))
@pytest.mark.parametrize("kind", ["header", "header_rotated"])
def test_recorded_vectors_pass(vector: dict[str, str], kind: str) -> None:
    body = (HERE / Path(vector["file"]).name).read_bytes()
    header, secret, now = vector[kind], vector["secret"], float(vector["t"])

    assert ours(header, body=body, secret=secret, now=now) is None
    assert theirs(header, body=body, secret=secret, now=now)
