"""Texts in several languages: titles of refusals as Graph localises them, and the page's words."""

from collections.abc import Mapping

LOCALES = ("en", "pt", "fr", "da", "it")

# (code, subcode) -> title in each of LOCALES
TITLES: Mapping[tuple[int, int | None], tuple[str, str, str, str, str]] = {
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
GENERIC_TITLE = (
    "Invalid parameter",
    "Parâmetro inválido",
    "Paramètre non valide",
    "Ugyldig parameter",
    "Parametro non valido",
)

PAGE_WORDS: Mapping[str, Mapping[str, str]] = {
    "pt": {
        "html": "pt-BR",
        "moment": "%d/%m/%Y %H:%M:%S UTC",
        "decimal": ",",
        "title": "Eventos recebidos",
        "lead": "Meta de mentira, nesta máquina. Nada do que aparece aqui saiu dela.",
        "test": "Eventos de teste",
        "all": "Todos os eventos",
        "accepted": "aceitos",
        "duplicates": "duplicados",
        "refused": "recusados",
        "requests": "requisições",
        "empty": "Nada chegou ainda.",
        "empty_test": "Nenhum evento com código de teste (test_event_code) chegou ainda.",
        "duplicate": "duplicado, descartado",
        "keys": "Dados do cliente",
        "no_id": "sem event_id: não pode ser deduplicado",
        "payload": "Conteúdo",
        "refresh": "Atualizar",
    },
    "en": {
        "html": "en",
        "moment": "%Y-%m-%d %H:%M:%S UTC",
        "decimal": ".",
        "title": "Events received",
        "lead": "A stand-in for Meta on this machine. Nothing shown here has left it.",
        "test": "Test events",
        "all": "All events",
        "accepted": "accepted",
        "duplicates": "duplicates",
        "refused": "refused",
        "requests": "requests",
        "empty": "Nothing has arrived yet.",
        "empty_test": "No event with a test code (test_event_code) has arrived yet.",
        "duplicate": "duplicate, discarded",
        "keys": "Customer information",
        "no_id": "no event_id: cannot be deduplicated",
        "payload": "Payload",
        "refresh": "Refresh",
    },
}
