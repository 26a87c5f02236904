"""What looks like somebody in a text that is about to be logged. A rule without I/O.

Keys decide first (REDACTED_KEYS); this is for texts whose key promises nothing personal: a reason,
an exception. Looked for is what cannot be one of our ids: an e-mail address, a number written as a
CPF, CNPJ or phone, an address of the public internet. Bare digits stay: a CPF without dots is as
long as many an id.
"""

import ipaddress
import re

REDACTED = "[redacted]"

# No text without one of these holds anything of it; most texts are ids, and end at the first.
_SIGN = re.compile(r"[@+.(:%\\]")
_MAY = re.compile(r"@|\+\d|\d\.\d|\(\d|:[0-9A-Fa-f]*:|%(?:25)*(?:40|2[Bb8])|\\u0040")
# As it is, and as addresses and JSON write it.
_AT, _PLUS = r"(?:@|%(?:25)*40|\\u0040)", r"(?:(?<!\w)\+|%(?:25)*2[Bb])"
_GAP = r"(?:[ ().+-]|%(?:25)*2[089]){0,2}"
# Local parts have at most 64 letters (RFC 5321): longer runs would only make the search slow.
_EMAIL = re.compile(
    r"[^\s\"'`<>()\[\]{},;:=/\\@|&?]{1,64}" + _AT + r"[^\s\"'`<>()\[\]{},;:=/\\@|&?#]+"
)
# Processes are called so, with their machine behind it.
_PROCESSES = ("worker@", "serve@")
_PHONE = re.compile(
    rf"(?:{_PLUS}\d(?:{_GAP}\d){{9,14}}"
    rf"|(?:(?<!\w)\(|%(?:25)*28)\d{{2}}(?:\)|%(?:25)*29){_GAP}\d{{4,5}}{_GAP}\d{{4}})(?!\w)"
)
_DOCUMENT = re.compile(
    r"(?<!\w)(?:\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2})(?!\w)"
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
# Machines' own: whoever operates them has to see which one it was.
_OURS = [
    ipaddress.ip_network(text)
    for text in """0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12
    192.168.0.0/16 ::/127 fc00::/7 fe80::/10""".split()
]


def masked(value: object, hidden: frozenset[str] = frozenset()) -> object:
    """Return a value with whatever looks like somebody replaced, inside lists and mappings, too.

    So are values of hidden keys of mappings. What is neither text nor number becomes a text.
    """
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return [masked(one, hidden) for one in value]
    if isinstance(value, dict):
        return {
            key: REDACTED if key in hidden else masked(one, hidden) for key, one in value.items()
        }
    return masked_text(value if isinstance(value, str) else str(value))


def masked_text(text: str) -> str:
    """Return a text with whatever looks like somebody replaced."""
    if not _SIGN.search(text) or not _MAY.search(text):
        return text
    text = _EMAIL.sub(_unless_a_process, text)
    for pattern in (_DOCUMENT, _PHONE):
        text = pattern.sub(REDACTED, text)
    for pattern in (_IPV4, _IPV6):
        text = pattern.sub(_unless_ours, text)
    return text


def _unless_a_process(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith(_PROCESSES) else REDACTED


def _unless_ours(found: re.Match[str]) -> str:
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:  # a time of day, a version
        return found[0]
    ours = any(address.version == one.version and address in one for one in _OURS)
    return found[0] if ours else REDACTED
