"""Answers as Graph writes them: the success body, error bodies and their localised titles.

Titles follow the language of the token's user at Meta, so a caller that classifies by text fails
here as it would there.
"""

import json
import secrets
from collections.abc import Mapping

from trackai.sandbox.asgi import Reply
from trackai.sandbox.meta.refusal import Refusal

LOCALES = ("en", "pt", "fr", "da", "it")

# (code, subcode) -> title in each of LOCALES
_TITLES: Mapping[tuple[int, int | None], tuple[str, str, str, str, str]] = {
    (100, 2804003): (
        "Event Timestamp Too Old",
        "Registro de data e hora do evento muito antigo",
        "Horodatage de l'évènement trop ancien",
        "Hændelsens tidsstempel er for gammelt",
        "Indicatore data e ora dell'evento troppo vecchio",
    ),
    (100, 2804050): (
        "Your event request doesn't have enough customer information",
        "Sua solicitação de evento não tem informações suficientes do cliente",
        "Informations client insuffisantes",
        "Utilstrækkelige kundeoplysninger",
        "Informazioni sul cliente insufficienti",
    ),
    (100, 2804001): (
        "Click ID Incorrectly Formatted",
        "Identificação de clique formatada incorretamente",
        "ID de clic mal formaté",
        "Klik-id er formateret forkert",
        "ID clic formattato in modo errato",
    ),
    (100, 2804019): (
        "Server Side Api Parameter Error",
        "Erro de parâmetro da API no lado do servidor",
        "Erreur de paramètre d'API côté serveur",
        "Parameterfejl i API på serversiden",
        "Errore del parametro API lato server",
    ),
    (190, 463): (
        "Session has expired",
        "A sessão expirou",
        "La session a expiré",
        "Sessionen er udløbet",
        "La sessione è scaduta",
    ),
}
_GENERIC = (
    "Invalid parameter",
    "Parâmetro inválido",
    "Paramètre non valide",
    "Ugyldig parameter",
    "Parametro non valido",
)

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
    titles = _TITLES.get((refusal.code, refusal.subcode), _GENERIC)
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
