"""Senders that tell sales as the payment platforms do: their shapes, encodings and signatures.

Shapes follow public captures and the platforms' documents (2026-11); every person is invented.
"""

import datetime as dt
import uuid
from collections.abc import Mapping

from trackai.sandbox.platforms import cakto, hotmart, kiwify, perfectpay, stripe
from trackai.sandbox.platforms.sale import (
    NoSuchNotice,
    Person,
    Recipe,
    Sale,
    SaleStatus,
    SignedWebhook,
)

__all__ = [
    "PLATFORMS",
    "NoSuchNotice",
    "Person",
    "Platform",
    "Sale",
    "SaleStatus",
    "SignedWebhook",
    "platform",
]

PLATFORMS: Mapping[str, Recipe] = {
    module.RECIPE.name: module.RECIPE for module in (cakto, hotmart, kiwify, perfectpay, stripe)
}


class Platform:
    """One platform with the secret that the seller and it share."""

    def __init__(self, recipe: Recipe, secret: str) -> None:
        self._recipe = recipe
        self._secret = secret

    @property
    def name(self) -> str:
        """Name in lower case, as gateways are named."""
        return self._recipe.name

    @property
    def statuses(self) -> frozenset[SaleStatus]:
        """What this platform has a notice for."""
        return self._recipe.statuses

    def transaction(self, made_of: uuid.UUID) -> str:
        """Return a transaction in the platform's own form."""
        return self._recipe.transaction(made_of)

    def notice(
        self,
        sale: Sale,
        status: SaleStatus,
        *,
        at: dt.datetime | None = None,
        forge: bool = False,
    ) -> SignedWebhook:
        """Return the notice of this status, sent at `at` (when sold, unless told).

        `forge` signs with another secret. NoSuchNotice when the platform has none.
        """
        return self.notices(sale, status, at=at, forge=forge)[0]

    def notices(
        self,
        sale: Sale,
        status: SaleStatus,
        *,
        at: dt.datetime | None = None,
        forge: bool = False,
    ) -> list[SignedWebhook]:
        """Return all notices the platform sends about this, the main one first."""
        if status not in self.statuses:
            raise NoSuchNotice(f"{self.name} has no notice for {status}")
        moment = at or sale.sold_at
        secret = f"another-{self._secret}" if forge else self._secret
        return [
            self._recipe.seal(document, secret, moment)
            for document in self._recipe.word(sale, status, moment)
        ]


def platform(name: str, secret: str) -> Platform:
    """Return the platform of this name; KeyError when there is none."""
    return Platform(PLATFORMS[name], secret)
