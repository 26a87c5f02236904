"""Hotmart for the contract: the token stands in a header."""

import datetime as dt

from trackai.gateways.port import InboundRequest

SECRET = "TEST_TOKEN_0123456789abcdef0123456789"
PROOF = "x-hotmart-hottok"
SIGNS_BODY = False
APPROVED = "approved_origin_subscription.json"
EVENT = ("event",)
UNKNOWN_EVENT: object = "PURCHASE_FRAMED"
TRANSACTION = ("data", "purchase", "transaction")
AMOUNT = ("data", "purchase", "price", "value")
CLICK = ("data", "purchase", "origin", "xcod")
ESSENTIAL = (EVENT, TRANSACTION, AMOUNT, ("data", "purchase", "price", "currency_value"))


def signed(body: bytes, secret: str, at: dt.datetime) -> InboundRequest:
    return InboundRequest(body, {PROOF: secret}, "", at)
