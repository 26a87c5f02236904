"""Tenants and what they set up: funnels, gateway connections, destinations."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account; everything else belongs to exactly one."""

    id: uuid.UUID
    name: str
    site_key: str  # public: what a page may hold
    time_zone: str = "America/Sao_Paulo"
    currency: str = "BRL"
    next_time_zone: str | None = None  # wanted: its days are being counted again


class Attribution(StrEnum):
    """Which of a buyer's clicks counts."""

    LAST_CLICK = "last_click"
    FIRST_CLICK = "first_click"  # the first with an ad's parameters inside the window


@dataclass(frozen=True, slots=True)
class Funnel:
    """One sales path of a tenant, and how its sales are matched to clicks."""

    tenant_id: uuid.UUID
    id: uuid.UUID
    name: str
    attribution_window: dt.timedelta = dt.timedelta(hours=72)
    attribution: Attribution = Attribution.LAST_CLICK
    # How far back a click of the same address and agent may lie; zero: they do not match.
    visitor_window: dt.timedelta = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret; `valid_until` is set on the old one while a rotation lasts."""

    value: str = field(repr=False)
    valid_until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class GatewayConnection:
    """A tenant's account at a payment platform and the address its webhooks come to."""

    tenant_id: uuid.UUID
    id: uuid.UUID
    funnel_id: uuid.UUID
    gateway: str
    endpoint_key: str = field(repr=False)  # unguessable part of the webhook address
    secrets: tuple[Secret, ...] = field(repr=False, default=())

    def valid_secrets(self, now: dt.datetime) -> tuple[str, ...]:
        """Return the secrets that prove a webhook at this time; blank ones never do."""
        return tuple(
            secret.value
            for secret in self.secrets
            if secret.value.strip() and (secret.valid_until is None or now < secret.valid_until)
        )


@dataclass(frozen=True, slots=True)
class DestinationAccount:
    """A tenant's pixel (dataset) at an ad platform, with what is needed to send to it."""

    tenant_id: uuid.UUID
    id: uuid.UUID
    funnel_id: uuid.UUID | None  # None = gets the conversions of every funnel
    kind: str  # "meta"
    pixel_id: str
    token: str = field(repr=False)
    test_event_code: str | None = None
    api_url: str | None = None  # None = the platform's own
    event_names: Mapping[str, str] = field(default_factory=dict)  # trigger -> event, over defaults
