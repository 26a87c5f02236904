"""Stripe for the contract: HMAC-SHA256 of time and body in a header."""

import datetime as dt
import hashlib
import hmac

from trackai.gateways.port import InboundRequest

SECRET = "whsec_test_0123456789abcdef"
PROOF = "stripe-signature"
SIGNS_BODY = True
APPROVED = "checkout_session_completed_paid.json"
EVENT = ("type",)
UNKNOWN_EVENT: object = "payment_intent.framed"
_OBJECT = ("data", "object")
TRANSACTION = (*_OBJECT, "payment_intent")
AMOUNT = (*_OBJECT, "amount_total")
CLICK = (*_OBJECT, "client_reference_id")
# The session's own id stands in for a missing payment; mode and payment_status say what it means.
ESSENTIAL = (
    EVENT,
    TRANSACTION,
    AMOUNT,
    (*_OBJECT, "currency"),
    (*_OBJECT, "id"),
    (*_OBJECT, "mode"),
    (*_OBJECT, "payment_status"),
)


def signed(body: bytes, secret: str, at: dt.datetime) -> InboundRequest:
    stamp = int(at.timestamp())
    message = f"{stamp}.".encode() + body
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return InboundRequest(body, {PROOF: f"t={stamp},v1={signature}"}, "", at)
