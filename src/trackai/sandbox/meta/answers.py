"""Answers as Graph writes them: the success body, error bodies and their localised titles.

Titles follow the language of the token's user at Meta, so a caller that classifies by text fails
here as it would there.
"""

import json
import secrets

from trackai.sandbox.asgi import Reply
from trackai.sandbox.meta.refusal import Refusal
from trackai.sandbox.meta.words import GENERIC_TITLE, LOCALES, TITLES

INVALID_TOKEN = Refusal(
    190, message="Invalid OAuth access token - Cannot parse access token", status=401
)
EXPIRED_TOKEN = Refusal(
    190, 463, message="Error validating access token: Session has expired.", status=401
)
TOKEN_REQUIRED = Refusal(
    104, message="An access token is required to request this resource.", status=401
)
WRONG_PROOF = Refusal(
    100,
    message="Invalid appsecret_proof provided in the API argument",
    kind="GraphMethodException",
)
NO_PERMISSION = Refusal(
    200,
    message="(#200) Requires ads_management or business_management permission",
    status=403,
)


NO_ADS_READ = Refusal(
    200,
    message="(#200) Ad account owner has NOT grant ads_management or ads_read permission",
    status=403,
)


def unknown_object(dataset: str) -> Refusal:
    """Build the refusal of a dataset that is unknown or not assigned to the token."""
    return Refusal(
        100,
        33,
        message=(
            f"Unsupported post request. Object with ID '{dataset}' does not exist, cannot be loaded"
            " due to missing permissions, or does not support this operation"
        ),
        kind="GraphMethodException",
    )


def trace_id() -> str:
    """Make an fbtrace_id: opaque, new for every answer."""
    return "A" + secrets.token_urlsafe(16)


def accepted(received: int) -> bytes:
    """Return the body of a yes: received counts what was taken, duplicates among it."""
    return _dump({"events_received": received, "messages": [], "fbtrace_id": trace_id()})


def refused(refusal: Refusal, *, locale: str = "en") -> Reply:
    """Return the reply that words a refusal."""
    error: dict[str, object] = {
        "message": refusal.message,
        "type": refusal.kind,
        "code": refusal.code,
    }
    if refusal.subcode is not None:
        error["error_subcode"] = refusal.subcode
    error["is_transient"] = refusal.transient
    titles = TITLES.get((refusal.code, refusal.subcode), GENERIC_TITLE)
    if refusal.subcode is not None and refusal.detail:
        error["error_user_title"] = titles[LOCALES.index(locale)]
        error["error_user_msg"] = refusal.detail
    if refusal.blame:
        error["error_data"] = {"blame_field_specs": [[path] for path in refusal.blame]}
    error["fbtrace_id"] = trace_id()
    return Reply(refusal.status, _dump({"error": error}))


def _dump(value: object) -> bytes:
    # Graph escapes whatever is not ASCII.
    return json.dumps(value, separators=(",", ":")).encode("ascii")
