"""PerfectPay for the contract: the token stands in the body."""

import datetime as dt
import json

from trackai.gateways.port import InboundRequest

SECRET = "TESTTOKEN0123456789abcdef01234567"
PROOF = "body"
SIGNS_BODY = False
APPROVED = "approved_one_off.json"
EVENT = ("sale_status_enum",)
UNKNOWN_EVENT: object = 99
TRANSACTION = ("code",)
AMOUNT = ("sale_amount",)
CLICK = ("metadata", "utm_perfect")
# What decides about status and amount; everything else may be spoiled without losing the sale.
ESSENTIAL = (EVENT, TRANSACTION, AMOUNT, ("currency_enum",))


def signed(body: bytes, secret: str, at: dt.datetime) -> InboundRequest:
    document = json.loads(body) | {"token": secret}
    return InboundRequest(json.dumps(document).encode(), {}, "", at)
