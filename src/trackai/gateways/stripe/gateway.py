"""Stripe: events signed with HMAC-SHA256 over the time and the raw body.

Header `Stripe-Signature: t=<unix seconds>,v1=<hex>[,v1=...]`; the key is the whole "whsec_..."
text; any v1 may fit, so that secrets can be rotated; v0 is not for us. Old signatures are refused
as Stripe's own library does it (version 16.1.0, read and compared); those of the future, which it
takes, are refused too. What the objects mean is in objects.py.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

from trackai.gateways.decode import read_object
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.signatures import prove_hmac, usable
from trackai.gateways.stripe import objects
from trackai.gateways.stripe.objects import Event
from trackai.model.notice import NotASale, NoticeStatus

HEADER = "stripe-signature"
TOLERANCE_S = 300  # the official library's default

# What reads the event's object, and the status it starts from: some objects know better.
STATUSES: Mapping[str, tuple[Callable[[Event, NoticeStatus], Parsed], NoticeStatus]] = {
    # Pending while `payment_status` says unpaid: boleto and Pix.
    "checkout.session.completed": (objects.session, NoticeStatus.APPROVED),
    "checkout.session.async_payment_succeeded": (objects.session, NoticeStatus.APPROVED),
    "checkout.session.async_payment_failed": (objects.session, NoticeStatus.REFUSED),
    "checkout.session.expired": (objects.session, NoticeStatus.ABANDONED),
    "payment_intent.succeeded": (objects.payment_intent, NoticeStatus.APPROVED),
    "payment_intent.payment_failed": (objects.payment_intent, NoticeStatus.REFUSED),
    "payment_intent.canceled": (objects.payment_intent, NoticeStatus.CANCELED),
    # Also told of partial refunds.
    "charge.refunded": (objects.charge, NoticeStatus.REFUNDED),
    # The dispute's own status decides: inquiries take no money, and disputes can be won.
    "charge.dispute.created": (objects.dispute, NoticeStatus.CHARGED_BACK),
    "charge.dispute.closed": (objects.dispute, NoticeStatus.CHARGED_BACK),
    "invoice.paid": (objects.invoice, NoticeStatus.APPROVED),
    "invoice.payment_succeeded": (objects.invoice, NoticeStatus.APPROVED),  # paid by Stripe itself
    "invoice.payment_failed": (objects.invoice, NoticeStatus.REFUSED),
}
NOT_SALES: Mapping[str, str] = {
    "customer.subscription.deleted": "subscription_canceled",
}

_SECOND = dt.timedelta(seconds=1)
_TIME = re.compile(r"[0-9]{1,12}")


class Stripe:
    """The adapter."""

    name = "stripe"
    title = "Stripe"
    click_parameters = ("client_reference_id",)
    checkout_hosts = ("buy.stripe.com", "book.stripe.com", "donate.stripe.com")  # payment links
    checkout_url = "https://checkout.stripe.com/"
    secret_prefix = "whsec_"  # noqa: S105 - the same for everybody

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Check signature, then age against the time of receipt."""
        if not usable(secrets):
            return ProofFailure.NO_SECRET
        header = request.headers.get(HEADER)
        if not header:
            return ProofFailure.MISSING
        parts = [part.split("=") for part in header.split(",") if "=" in part]
        times = [part[1] for part in parts if part[0] == "t"]
        given = [part[1] for part in parts if part[0] == "v1"]
        if not times or not given or not _TIME.fullmatch(times[0]):
            return ProofFailure.MALFORMED
        signed_at = int(times[0])
        message = b"%d." % signed_at + request.body
        failure = prove_hmac("sha256", [message], given, secrets)
        if failure is None and abs(request.received_at.timestamp() - signed_at) > TOLERANCE_S:
            return ProofFailure.TOO_OLD
        return failure

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate the event's object."""
        body = read_object(request.body)
        name = body.required("type")
        if name not in STATUSES:
            return NotASale(name, NOT_SALES.get(name, "unknown_event"))
        read, status = STATUSES[name]
        event = Event(name, body.epoch("created", _SECOND), body.inner("data").inner("object"))
        return read(event, status)


GATEWAY: Gateway = Stripe()
