"""Cakto for the contract: the secret stands in the body."""

import datetime as dt
import json

from trackai.gateways.port import InboundRequest

SECRET = "TEST_TOKEN_0123456789abcdef0123456789"
PROOF = "body"
SIGNS_BODY = False
APPROVED = "purchase_approved_recurring.json"
EVENT = ("event",)
UNKNOWN_EVENT: object = "purchase_framed"
TRANSACTION = ("data", "id")
AMOUNT = ("data", "amount")
CLICK = ("data", "sck")
# `refId` stands in for a spoilt id.
ESSENTIAL = (EVENT, TRANSACTION, ("data", "refId"), AMOUNT)


def signed(body: bytes, secret: str, at: dt.datetime) -> InboundRequest:
    document = json.loads(body) | {"secret": secret}
    return InboundRequest(json.dumps(document).encode(), {}, "", at)
