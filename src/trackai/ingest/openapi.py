"""The OpenAPI 3.1 document of the edge, made from the structs that decode its bodies."""

from typing import Any, TypeAlias

import msgspec

from trackai import errors
from trackai.ingest.bodies import ClickBody, LeadBody, PageviewBody

Json: TypeAlias = dict[str, Any]

_REPORTS: dict[str, tuple[type[msgspec.Struct], str, str]] = {
    "click": (ClickBody, "ClickStored", "An ad click"),
    "pageview": (PageviewBody, "EventStored", "A page view"),
    "initiate_checkout": (LeadBody, "EventStored", "A started checkout"),
    "lead": (LeadBody, "EventStored", "A lead"),
    "identify": (LeadBody, "EventStored", "Who a visitor is"),
}


class ErrorAbout(msgspec.Struct, kw_only=True):
    """What went wrong."""

    code: str  # stable, for programs
    message: str  # for people
    field: str | msgspec.UnsetType = msgspec.UNSET  # the field at fault
    reason: str | msgspec.UnsetType = msgspec.UNSET  # why a webhook was not proved authentic


class Error(msgspec.Struct):
    """Every answer that is not a yes."""

    error: ErrorAbout


class ClickStored(msgspec.Struct):
    """The click is durable."""

    click_id: str


class EventStored(msgspec.Struct):
    """The event is durable."""

    event_id: str


class WebhookStored(msgspec.Struct):
    """The webhook is durable; `repeat` when the same body came before."""

    receipt_id: str
    repeat: bool


_TENANT: list[Json] = [
    {
        "name": "x-tenant-id",
        "in": "header",
        "description": "The tenant's id.",
        "schema": {"type": "string", "format": "uuid"},
    },
    {
        "name": "x-site-key",
        "in": "header",
        "description": "The tenant's public key, instead of its id.",
        "schema": {"type": "string", "maxLength": 128},
    },
]
_SITE_KEY: Json = {
    "name": "site_key",
    "in": "query",
    "description": "The tenant's public key, where no header can be sent.",
    "schema": {"type": "string", "maxLength": 128},
}
_GATEWAY: Json = {
    "name": "gateway",
    "in": "path",
    "required": True,
    "description": "Name of the payment platform.",
    "schema": {"type": "string"},
}
_ENDPOINT_KEY: Json = {
    "name": "endpoint_key",
    "in": "path",
    "required": True,
    "description": "The unguessable part of the address that the connection's page shows.",
    "schema": {"type": "string"},
}

_REFUSALS: tuple[type[errors.TrackaiError], ...] = (
    errors.MalformedBody,
    errors.NotFound,
    errors.MethodNotAllowed,
    errors.BodyTooSlow,
    errors.BodyTooLarge,
    errors.UnsupportedBody,
    errors.StorageUnavailable,
)
_REPORT_REFUSALS = (*_REFUSALS, errors.InvalidField, errors.TooManyRequests)
_WEBHOOK_REFUSALS = (*_REFUSALS, errors.ProofFailed)


def openapi_document() -> bytes:
    """Return the document as JSON."""
    _, components = msgspec.json.schema_components(
        [ClickBody, PageviewBody, LeadBody, Error, ClickStored, EventStored, WebhookStored],
        ref_template="#/components/schemas/{name}",
    )
    webhook = "/api/v1/webhooks/{gateway}"
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Track AI: tracking and webhooks", "version": "1"},
        "paths": {
            **{
                f"/api/v1/track/{kind}": {"post": _report(*about)}
                for kind, about in _REPORTS.items()
            },
            webhook: {"post": _webhook([_GATEWAY, _TENANT[0]])},
            webhook + "/{endpoint_key}": {"post": _webhook([_GATEWAY, _ENDPOINT_KEY])},
        },
        "components": {"schemas": components},
    }
    return msgspec.json.encode(document)


def _report(body: type[msgspec.Struct], answer: str, summary: str) -> Json:
    content = {kind: {"schema": _ref(body.__name__)} for kind in ("application/json", "text/plain")}
    return {
        "summary": summary,
        "parameters": [*_TENANT, _SITE_KEY],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "201": _response("Stored durably, now or before.", answer),
            **_errors(_REPORT_REFUSALS),
        },
    }


def _webhook(parameters: list[Json]) -> Json:
    return {
        "summary": "A payment platform's webhook, proved by the platform's own scheme",
        "parameters": parameters,
        "requestBody": {"content": {"application/json": {}, "*/*": {}}},
        "responses": {
            "200": _response("Authentic and stored durably.", "WebhookStored"),
            **_errors(_WEBHOOK_REFUSALS),
        },
    }


def _errors(refusals: tuple[type[errors.TrackaiError], ...]) -> Json:
    return {
        str(error.status): _response((error.__doc__ or "").partition("\n")[0], "Error")
        for error in sorted(refusals, key=lambda error: error.status)
    }


def _response(description: str, schema: str) -> Json:
    return {
        "description": description,
        "content": {"application/json": {"schema": _ref(schema)}},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
