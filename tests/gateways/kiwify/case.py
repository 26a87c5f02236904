"""Kiwify for the contract: HMAC-SHA1 of the body in the query."""

import datetime as dt
import hashlib
import hmac

from trackai.gateways.port import InboundRequest

SECRET = "kiwify-test-token"
PROOF = "query"
SIGNS_BODY = True
APPROVED = "real_order_approved_subscription_sanitised.json"
EVENT = ("webhook_event_type",)
UNKNOWN_EVENT: object = "order_framed"
TRANSACTION = ("order_id",)
AMOUNT = ("Commissions", "charge_amount")
CLICK = ("TrackingParameters", "s1")
ESSENTIAL = (EVENT, TRANSACTION, AMOUNT, ("Commissions", "currency"))


def signed(body: bytes, secret: str, at: dt.datetime) -> InboundRequest:
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return InboundRequest(body, {}, f"signature={signature}", at)
