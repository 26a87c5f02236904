"""The demo's cast: who visits, how the sale can be found again, what the platform then says.

Each scene carries what must come of it, so that the demo can check itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from trackai.sandbox.platforms import Person, SaleStatus

S = SaleStatus


class Trace(StrEnum):
    """What of the visit is still there when the platform tells the sale."""

    CLICK_ID = "click_id"  # our id came back through the checkout
    FBCLID = "fbclid"  # Meta's cookie _fbc came back
    FBP = "fbp"  # Meta's cookie _fbp came back
    EMAIL = "email"  # a lead of the same visit left the e-mail
    PHONE = "phone"  # a lead of the same visit left the phone
    UNMATCHED = "unmatched"  # nothing: a sale without a click


@dataclass(frozen=True, slots=True)
class Scene:
    """One visitor's story."""

    gateway: str
    trace: Trace
    person: Person
    said: tuple[SaleStatus, ...] = (S.APPROVED,)  # notices in the order they are sent
    amount_minor: int = 19_700
    payment: str = "credit_card"
    repeats: int = 0  # how often the platform sends its last notice again
    forged: bool = False  # somebody else sends it, without the secret

    @property
    def events(self) -> int:
        """How many events Meta must have accepted in the end."""
        paid = {S.APPROVED, S.RENEWAL} & set(self.said)
        if self.forged or not paid:
            return 0
        # A refund that is known before the approval: the sale never was one.
        return 0 if self.said[0] is S.REFUNDED else 1


_NAMES = """Ana Souza|Bruno Lima|Carla Dias|Diego Alves|Elisa Rocha|Fábio Nunes|Gabriela Melo
Heitor Pires|Iara Campos|João Conceição|Karina Luz|Lucas Prado|Marina Sá|Nelson Farias|Olívia Reis
Paulo Teles|Quitéria Bastos|Rafael Moura|Sofia Aguiar|Tiago Braga|Úrsula Pinto|Vítor Salles
Wanda Cruz|Yara Freitas|Zeca Amaral|Alice Borges|Bento Castro|Clara Duarte|Davi Esteves"""


def cast() -> list[Person]:
    """Return invented people: example.com addresses, phones of no one, networks for documents."""
    names = _NAMES.replace("\n", "|").split("|")
    return [
        replace(
            Person(),
            full_name=name,
            email=f"visitante{number:02d}@example.com",
            phone=f"551199999{number:04d}",
            client_ip=f"203.0.113.{number + 1}",
        )
        for number, name in enumerate(names)
    ]


# Gateway, trace and the changes to a plain approved card sale; the cast is dealt out in order.
_STORIES: tuple[tuple[str, Trace, dict[str, object]], ...] = (
    ("perfectpay", Trace.CLICK_ID, {}),
    ("hotmart", Trace.CLICK_ID, {}),
    ("kiwify", Trace.CLICK_ID, {}),
    ("stripe", Trace.CLICK_ID, {}),
    ("perfectpay", Trace.FBCLID, {"amount_minor": 39_90}),
    ("kiwify", Trace.EMAIL, {"amount_minor": 497_00}),
    ("hotmart", Trace.PHONE, {"amount_minor": 97_00}),
    ("perfectpay", Trace.FBP, {}),
    ("stripe", Trace.EMAIL, {"amount_minor": 297_00}),
    # Pix: the code is shown first, the money comes later; one Purchase.
    ("kiwify", Trace.CLICK_ID, {"said": (S.PENDING, S.APPROVED), "payment": "pix"}),
    ("perfectpay", Trace.CLICK_ID, {"said": (S.PENDING, S.APPROVED), "payment": "boleto"}),
    # A card that is refused at first.
    ("stripe", Trace.CLICK_ID, {"said": (S.REFUSED, S.APPROVED)}),
    ("hotmart", Trace.UNMATCHED, {}),
    ("kiwify", Trace.UNMATCHED, {"amount_minor": 147_00}),
    # The platform repeats itself.
    ("hotmart", Trace.CLICK_ID, {"repeats": 2}),
    ("perfectpay", Trace.CLICK_ID, {"repeats": 1}),
    ("stripe", Trace.CLICK_ID, {"repeats": 1}),
    # Warranty over: the same sale again, never a second Purchase.
    ("hotmart", Trace.CLICK_ID, {"said": (S.APPROVED, S.COMPLETED)}),
    ("perfectpay", Trace.CLICK_ID, {"said": (S.APPROVED, S.COMPLETED)}),
    # Refunds, one of them overtaking its approval.
    ("kiwify", Trace.CLICK_ID, {"said": (S.APPROVED, S.REFUNDED)}),
    ("stripe", Trace.CLICK_ID, {"said": (S.APPROVED, S.REFUNDED)}),
    ("hotmart", Trace.CLICK_ID, {"said": (S.REFUNDED, S.APPROVED)}),
    # Nobody paid.
    ("kiwify", Trace.CLICK_ID, {"said": (S.PENDING,), "payment": "boleto"}),
    # A subscription's second charge.
    ("kiwify", Trace.CLICK_ID, {"said": (S.RENEWAL,), "amount_minor": 49_90}),
    # Forgeries: right shape, wrong secret.
    ("perfectpay", Trace.CLICK_ID, {"forged": True}),
    ("hotmart", Trace.UNMATCHED, {"forged": True}),
    ("kiwify", Trace.UNMATCHED, {"forged": True}),
    ("stripe", Trace.CLICK_ID, {"forged": True}),
)


def scenes() -> Sequence[Scene]:
    """Return the demo's scenes in order."""
    people = cast()
    return [
        replace(Scene(gateway, trace, people[number]), **changes)  # type: ignore[arg-type]
        for number, (gateway, trace, changes) in enumerate(_STORIES)
    ]
