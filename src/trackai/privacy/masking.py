"""What may be shown of a person on a screen: enough to recognize them, too little to reach them.

A document is masked by what its fields are called and by what stands in them: whatever is inside an
object about a person, and every e-mail, phone, document, address of a machine and hash wherever it
stands. Masking too much costs a second look with the plain text; so in doubt it masks.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import msgspec

MASK = "***"

# Objects about a person or where they live: nothing in them is shown.
_PERSON = re.compile(
    r"buyer|customer|comprador|client|subscriber|assinante|billing|shipping|address|endereco|person"
    r"|affiliate|producer|contact|card|payer|owner",
    re.IGNORECASE,
)
# Fields that hold something of a person, or a secret, wherever they stand.
_PERSONAL = re.compile(
    r"mail|phone|fone|celular|mobile|whats|document|cpf|cnpj|tax|birth|nasc|gender|sexo|street|zip"
    r"|postal|cep\b|city|cidade|neighbo|bairro|district|name|nome|\bip\b|_ip|ip_|agent|token|hottok"
    r"|secret|signature|password|digits|barcode|boleto|pix",
    re.IGNORECASE,
)
# Fields that are called so and hold nothing of a person, by the object that they stand in.
_THING = re.compile(r"product|produto|plan|offer|oferta|item|price|store|funnel", re.IGNORECASE)
_THINGS_NAME = re.compile(r"^(product_|plan_|offer_|item_)?(name|nome)$", re.IGNORECASE)

_EMAIL = re.compile(r"([^\s<>,;:\"'()=&?/|@])[^\s<>,;:\"'()=&?/|@]*@([^\s<>,;:\"'()=&?/|@])"
                    r"[^\s<>,;:\"'()=&?/|@]*")  # fmt: skip
_HEX = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32,}(?![0-9a-fA-F])")
_IP = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F:]+")
# A phone or a document of a person: eight to fifteen digits and what stands between them; dates and
# amounts are shorter or written otherwise.
_NUMBER = re.compile(r"(?<![\w.-])[+(]?\d[\d\s().-]{6,18}\d(?![\w-])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN_HEADERS = frozenset(
    {"content-type", "content-length", "content-encoding", "date", "accept", "host"}
)


def mask(text: str) -> str:
    """Return a text with its first letter alone; of a number the last two digits."""
    stripped = text.strip()
    if not stripped:
        return text
    if "@" in stripped:
        return _EMAIL.sub(_masked_email, stripped) if _EMAIL.search(stripped) else MASK
    if sum(map(str.isdigit, stripped)) * 2 > len(stripped):
        return MASK + stripped[-2:]
    return stripped[0] + MASK


def mask_text(text: str) -> str:
    """Return a text in which e-mails, numbers of people, addresses and hashes are masked."""
    masked = _EMAIL.sub(_masked_email, text)
    masked = _HEX.sub(MASK, masked)
    masked = _IP.sub(lambda found: found[0].split(".")[0] + "." + MASK, masked)
    masked = _IPV6.sub(MASK, masked)
    return _NUMBER.sub(_masked_number, masked)


def mask_body(body: bytes) -> str:
    """Return a webhook's body, JSON or a form or text, with its people masked."""
    try:
        decoded = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return _mask_form(body.decode("utf-8", "replace"))
    if not isinstance(decoded, dict | list):
        return mask_text(str(decoded))
    return msgspec.json.format(msgspec.json.encode(_masked(decoded)), indent=2).decode()


def mask_query(query: str) -> str:
    """Return a query with its people and secrets masked."""
    fields = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, str(_masked(value, name))) for name, value in fields], safe="*@")


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers; those that say nothing but the form of the request are shown."""
    return {
        name: value if name.lower() in _SHOWN_HEADERS else mask(value)
        for name, value in headers.items()
    }


def _mask_form(text: str) -> str:
    if "=" in text and "\n" not in text.strip():
        return mask_query(text)
    return mask_text(text)


def _masked(value: object, name: str = "", parent: str = "", *, inside: bool = False) -> object:
    """Return a value of a document; `inside`: it stands, however deep, in a person's object."""
    inside = inside or bool(_PERSON.search(name))
    if isinstance(value, dict):
        return {
            mask_text(str(key)): _masked(inner, str(key), name, inside=inside)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(inner, name, parent, inside=inside) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if inside or _is_personal(name, parent):
        return mask(str(value))
    return value if isinstance(value, int | float) else mask_text(str(value))


def _is_personal(name: str, parent: str) -> bool:
    thing = _THINGS_NAME.match(name) and (_THING.search(parent) or _THING.search(name))
    return bool(_PERSONAL.search(name)) and not thing


def _masked_email(found: "re.Match[str]") -> str:
    return f"{found[1]}{MASK}@{found[2]}{MASK}"


def _masked_number(found: "re.Match[str]") -> str:
    text = found[0]
    digits = sum(map(str.isdigit, text))
    if _DATE.match(text) or not 8 <= digits <= 15:  # noqa: PLR2004 - as above
        return text
    return MASK + text[-2:]
