"""POST /api/v1/webhooks/...: prove the bytes, keep them as received, say 200.

Nothing is parsed here: everything after the stored receipt can be done again from it. A webhook
without proof is answered 401, counted, kept apart for a short while for diagnosis, and never
processed. The key in the address is a secret: it is in no log and in no answer.

A gateway that is off and stores is not this room's matter: its webhooks are kept as all others,
and a worker holds them. One that turns webhooks away is answered as if there were no address.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from trackai.errors import TrackaiError, UnknownGateway
from trackai.flags.catalogue import gateway_flag
from trackai.gateways.port import Gateway, InboundRequest, ProofFailure
from trackai.ingest.directory import FOUND_S, Connections, Directory
from trackai.ingest.fields import is_id
from trackai.ingest.referred import SECRET_S, resolved
from trackai.ingest.stores import Rejection, Stores
from trackai.ingest.tracking import find_tenant_by_id
from trackai.ingest.wire import JSON_TYPE, Answer, NotProved, Request
from trackai.model.clock import Clock, NewId
from trackai.model.flag import OffMode
from trackai.model.tenant import GatewayConnection
from trackai.storage.receipts import NewReceipt, RequestParts, StoredReceipt
from trackai.telemetry import tracing
from trackai.telemetry.metrics import WEBHOOK_PROOF_FAILURES

MOST_BODY_BYTES = 1024 * 1024
MOST_KEY = 128
# Headers and query kept with a receipt; the server bounds the whole head to 64 KiB.
MOST_HEADER_CHARACTERS = 16 * 1024
MOST_QUERY_CHARACTERS = 8 * 1024
# A proof that fails against something known for longer than this is tried again with what the
# tables say now: the secret may just have been changed. Bounds what forgeries can ask for, too.
RECENT_S = 1.0

_NOT_PROVED = (
    "The webhook's authenticity could not be proved. Compare the secret in the platform's webhook "
    "settings with the one of this connection."
)

_NOTHING_TO_PROVE_WITH = (
    "This connection has no secret yet, so no webhook can be believed. Set the one that the "
    "platform shows."
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a webhook was sent; without a key the tenant is named by header."""

    gateway: str
    endpoint_key: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The webhook addresses."""

    directory: Directory
    gateways: Mapping[str, Gateway]
    clock: Clock
    new_id: NewId
    stores: Stores
    rejection_kept: dt.timedelta

    async def take(self, address: Address, request: Request) -> tuple[Answer, bool]:
        """Store an authentic webhook; return the answer and whether it is a repeat."""
        with tracing.span(tracing.WEBHOOK) as span:
            stored = await self._store(address, request)
            span.joins(stored.id, root=stored.fresh)
            span.note(gateway=address.gateway, repeat=not stored.fresh)
        return _accepted(stored), not stored.fresh

    async def _store(self, address: Address, request: Request) -> StoredReceipt:
        gateway = self.gateways.get(address.gateway)
        if gateway is None:
            raise _unknown()
        found = await self._candidates(address, request, max_age_s=FOUND_S)
        await self._let_in(gateway, found[0].tenant_id)
        inbound = InboundRequest(
            body=await request.body(MOST_BODY_BYTES),
            headers=_headers(request),
            query=request.query,
            received_at=self.clock.now(),
        )
        candidates = await resolved(self.directory.secrets, found, max_age_s=SECRET_S)
        proved = _prove(gateway, inbound, candidates.connections)
        if isinstance(proved, ProofFailure):
            found = await self._candidates(address, request, max_age_s=RECENT_S)
            candidates = await resolved(self.directory.secrets, found, max_age_s=RECENT_S)
            proved = _prove(gateway, inbound, candidates.connections)
        if isinstance(proved, ProofFailure) and candidates.away is not None:
            # Nobody can say that it is forged. Its platform sends it again.
            raise candidates.away
        if isinstance(proved, ProofFailure):
            keyless = address.endpoint_key is None
            await self._reject(self._receipt(found[0], inbound), proved, keyless=keyless)
            sentence = _NOTHING_TO_PROVE_WITH if proved is ProofFailure.NO_SECRET else _NOT_PROVED
            raise NotProved(sentence, reason=proved.value)
        return await self.stores.receipts.add(self._receipt(proved, inbound))

    async def _candidates(
        self, address: Address, request: Request, *, max_age_s: float
    ) -> Connections:
        if address.endpoint_key is None:
            tenant = await find_tenant_by_id(self.directory, request)
            key = (tenant.id, address.gateway)
            found = await self.directory.gateways.find(key, max_age_s=max_age_s) or ()
        elif is_id(address.endpoint_key, most=MOST_KEY):
            one = await self.directory.endpoints.find(address.endpoint_key, max_age_s=max_age_s)
            found = (one,) if one is not None and one.gateway == address.gateway else ()
        else:
            found = ()
        if not found:
            raise _unknown()
        return found

    async def _let_in(self, gateway: Gateway, tenant_id: UUID) -> None:
        said = await self.directory.switches.of(gateway_flag(gateway.name), tenant_id)
        if not said.on and said.off_mode is OffMode.REJECT:
            raise _unknown()

    def _receipt(self, connection: GatewayConnection, inbound: InboundRequest) -> NewReceipt:
        return NewReceipt(
            tenant_id=connection.tenant_id,
            id=self.new_id(),
            connection_id=connection.id,
            gateway=connection.gateway,
            received_at=inbound.received_at,
            body=inbound.body,
            request=RequestParts(
                headers=_bounded(inbound.headers), query=inbound.query[:MOST_QUERY_CHARACTERS]
            ),
        )

    async def _reject(self, receipt: NewReceipt, reason: ProofFailure, *, keyless: bool) -> None:
        WEBHOOK_PROOF_FAILURES.labels(receipt.gateway, reason.value).inc()
        expires_at = receipt.received_at + self.rejection_kept
        try:
            await self.stores.rejections.add(Rejection(receipt, reason.value, keyless, expires_at))
        except TrackaiError:
            # The answer is 401 whether or not there was room to keep the evidence.
            return


def _prove(
    gateway: Gateway, inbound: InboundRequest, candidates: Connections
) -> GatewayConnection | ProofFailure:
    """Return the first connection whose secret fits, else why the newest one's does not."""
    why: ProofFailure | None = None
    for connection in candidates:
        failure = gateway.verify(inbound, connection.valid_secrets(inbound.received_at))
        if failure is None:
            return connection
        why = why or failure
    return why or ProofFailure.NO_SECRET


def _headers(request: Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.all_headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _bounded(headers: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    room = MOST_HEADER_CHARACTERS
    for name, value in headers.items():
        room -= len(name) + len(value)
        if room < 0:
            break
        kept[name] = value
    return kept


def _accepted(stored: StoredReceipt) -> Answer:
    receipt_id = str(stored.id)
    body = msgspec.json.encode({"receipt_id": receipt_id, "repeat": not stored.fresh})
    return Answer(200, body, (JSON_TYPE, (b"x-correlation-id", receipt_id.encode())))


def _unknown() -> UnknownGateway:
    # One sentence for a wrong key and a wrong gateway: the answer must not say which keys exist.
    return UnknownGateway("There is no webhook at this address. Copy it again from Track AI.")
