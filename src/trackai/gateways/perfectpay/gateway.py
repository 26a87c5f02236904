"""PerfectPay: a flat document with a numbered status; the account's public token is its proof.

The token stands in the body, so it proves who sends, not that nothing was changed. Facts from
support.perfectpay.com.br (integration by webhook) and from public captures, read 2026-11. Zoneless
times are São Paulo's by inference: the next charge, told in UTC, is midnight there.
"""

from collections.abc import Mapping, Sequence

from trackai.gateways.decode import Fields, distinct, read_object, to_money
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.signatures import prove_token_in_body
from trackai.model.notice import Buyer, NotASale, Notice, NoticeStatus, Product, Tracking

# sale_status_enum: PerfectPay's key, which older bodies leave out, and what it means. There is no
# 14. Some formats are said to fold 8, 10 and 16 into 2, 11 into 6, 17 into 9 and 18 to 20 into 7;
# other receivers saw the raw numbers: all are taken.
STATUSES: Mapping[int, tuple[str, NoticeStatus]] = {
    1: ("pending", NoticeStatus.PENDING),
    2: ("approved", NoticeStatus.APPROVED),
    3: ("in_process", NoticeStatus.PENDING),  # reviewed by hand
    4: ("in_mediation", NoticeStatus.REFUND_REQUESTED),
    5: ("rejected", NoticeStatus.REFUSED),
    6: ("cancelled", NoticeStatus.CANCELED),
    7: ("refunded", NoticeStatus.REFUNDED),
    8: ("authorized", NoticeStatus.PENDING),  # reserved on the card, not yet charged
    9: ("charged_back", NoticeStatus.CHARGED_BACK),
    10: ("completed", NoticeStatus.COMPLETED),  # 30 days later: the same sale again
    11: ("checkout_error", NoticeStatus.REFUSED),
    12: ("precheckout", NoticeStatus.ABANDONED),
    13: ("expired", NoticeStatus.CANCELED),
    15: ("cancelled_regenerated", NoticeStatus.CANCELED),  # replaced by a new boleto
    16: ("in_review", NoticeStatus.PENDING),
    17: ("pre_chargeback", NoticeStatus.REFUND_REQUESTED),  # a warning: the money is not gone
    18: ("pre_refunded", NoticeStatus.REFUND_REQUESTED),
    19: ("med", NoticeStatus.REFUNDED),  # Pix's special return
    20: ("pre_med", NoticeStatus.REFUND_REQUESTED),
}
_NO_STATUS = 0  # "none"

_CURRENCIES = {1: "BRL", 2: "USD", 3: "EUR"}


class PerfectPay:
    """The adapter."""

    name = "perfectpay"
    title = "PerfectPay"
    click_parameters = ("utm_perfect", "src", "sck")
    checkout_hosts = ("perfectpay.com.br",)
    checkout_url = "https://go.perfectpay.com.br/"
    secret_prefix = ""

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Compare `token` in the body."""
        return prove_token_in_body(request.body, "token", secrets)

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate the document; a renewal has a code of its own."""
        body = read_object(request.body)
        number = body.whole("sale_status_enum")
        known = STATUSES.get(number or _NO_STATUS)
        if known is None:
            event = body.identifier("sale_status_enum_key") or body.required("sale_status_enum")
            return NotASale(event, "no_status" if number == _NO_STATUS else "unknown_event")
        key, status = known
        approved_at, created_at = body.time("date_approved"), body.time("date_created")
        return (
            Notice(
                gateway=self.name,
                transaction=body.required("code"),
                status=status,
                event=body.identifier("sale_status_enum_key") or key,
                occurred_at={
                    NoticeStatus.APPROVED: approved_at,
                    NoticeStatus.PENDING: created_at,
                }.get(status),
                sold_at=approved_at or created_at,
                money=to_money(body.raw("sale_amount"), _currency(body), status),
                product=_product(body),
                buyer=_buyer(body.inner("customer")),
                tracking=_tracking(body.inner("metadata")),
                recurrence=_recurrence(body.inner("subscription")),
                subscription=body.inner("subscription").identifier("code"),
            ),
        )


def _currency(body: Fields) -> str | None:
    number = body.whole("currency_enum")
    return body.text("currency_enum_key") if number is None else _CURRENCIES.get(number)


def _product(body: Fields) -> Product:
    product = body.inner("product")
    return Product(
        product_id=product.identifier("code"),
        name=product.text("name"),
        quantity=body.count("quantity") or 1,
    )


def _buyer(customer: Fields) -> Buyer:
    return Buyer(
        email=customer.text("email"),
        phone=_phone(customer),
        full_name=customer.text("full_name"),
        city=customer.text("city"),
        state=customer.text("state"),
        zip_code=customer.text("zip_code"),
        country=customer.text("country"),
        birth_date=customer.text("birthday") or customer.text("date_birth"),
        document=customer.text("identification_number"),
        client_ip=customer.text("ip"),
        user_agent=customer.text("user_agent"),
    )


def _phone(customer: Fields) -> str | None:
    """Prefer the form with the country's code; `phone_formated` is spelt so and lacks it."""
    number = customer.text("phone_number")
    if number is None:
        return customer.text("phone_formated_ddi") or customer.text("phone_formated")
    country, area = customer.text("phone_extension"), customer.text("phone_area_code")
    if country is None:
        return customer.text("phone_formated_ddi") or f"{area or ''}{number}"
    return f"+{country.removeprefix('+')}{area or ''}{number}"


def _tracking(metadata: Fields) -> Tracking:
    # `ref` is the producer's or affiliate's code, never a click.
    src, sck = metadata.identifier("src"), metadata.identifier("sck")
    return Tracking(
        click_ids=distinct(metadata.identifier("utm_perfect"), src, sck),
        fbc=metadata.text("_fbc"),
        fbp=metadata.text("_fbp"),
        src=src,
        sck=sck,
        utm_source=metadata.text("utm_source"),
        utm_medium=metadata.text("utm_medium"),
        utm_campaign=metadata.text("utm_campaign"),
        utm_content=metadata.text("utm_content"),
        utm_term=metadata.text("utm_term"),
    )


def _recurrence(subscription: Fields) -> int:
    renewed = subscription.text("status_event") == "subscription_renewed"
    return max(2 if renewed else 1, subscription.count("charges_made") or 1)


GATEWAY: Gateway = PerfectPay()
