"""What is fuzzed: each reads what strangers send, and says what it makes of it.

An error of our own that is documented for it is an answer; everything else is a finding.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import msgspec
from tools.fuzz.http import speak

from trackai.analytics.ad_files import read_ad_file
from trackai.destinations.meta.answers import answer_of
from trackai.errors import InvalidField, MalformedBody, PayloadNotUnderstood
from trackai.gateways.decode import read_object, to_money
from trackai.gateways.port import Gateway, InboundRequest
from trackai.gateways.registry import gateways
from trackai.ingest import fields
from trackai.ingest.bodies import ClickBody, LeadBody, PageviewBody, parse_body
from trackai.ingest.client_address import TrustedProxies, parse_address
from trackai.model.notice import NotASale, NoticeStatus
from trackai.privacy.mentions import mentions
from trackai.tracker.tag import find_tag, script_tag

ROOT = Path(__file__).parents[2]
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1mdXp6ZXI"  # noqa: S105 - nobody's
# What stands in headers and queries besides.
PROOFS = (b"t=1795435200,v1=00ff", b"t=,v1=", b"signature=00ff", b"0" * 40, SECRET.encode())

# Returns what became of an input: a new word for it makes the input a seed.
Run = Callable[[bytes, Random], object]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads."""

    name: str
    seeds: Sequence[bytes]
    run: Run


def targets() -> list[Target]:
    """Return everything that is fuzzed."""
    bodies = {name: _bodies(name) for name in gateways()}
    every = [one for some in bodies.values() for one in some]
    return [
        *(Target(f"{name}.verify", bodies[name], _verify(one)) for name, one in gateways().items()),
        *(Target(f"{name}.parse", bodies[name], _parse(one)) for name, one in gateways().items()),
        Target("decode", every, _decode),
        Target("pages", PAGES, _page),
        Target("fields", FIELDS, _fields),
        Target("ad_file", _ad_files(), _ad_file),
        Target("forwarded", FORWARDED, _forwarded),
        Target("http", HTTP, speak),
        Target("mentions", every, _mentions),
        Target("meta_answer", ANSWERS, _meta_answer),
        Target("tag", TAGS, _tag),
    ]


PAGES = (
    (
        b'{"site_key":"site","click_id":"Clk-1","fbclid":"IwAR0","utm_source":"facebook",'
        b'"page_url":"https://loja.test/?utm_source=x","client_time":1795435200000}'
    ),
    b'{"event_id":"e1","client_time":"2026-11-23T12:00:00Z","referrer":"https://a.test/"}',
    b'{"email":"ana@loja.test","phone":"+55 11 98765-4321","external_id":"7","email_sha256":"ff"}',
)
FIELDS = (
    b"2026-11-23T12:00:00-03:00",
    b"1795435200000",
    b"https://loja.test/p?utm_source=a&utm_campaign=b%20c#d",
    b"0192f3a4-5b6c-7d8e-9f00-112233445566",
    b"a" * 64,
)
FORWARDED = (
    b"203.0.113.9, 10.0.0.1",
    b'"[2001:db8::1]:443", 10.0.0.1',
    b"unknown,_hidden,10.0.0.2",
)
HTTP = (
    b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{"a":1}',
    b"POST /e HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"GET /e?x=1 HTTP/1.1\r\nConnection: keep-alive\r\n\r\nGET /ee HTTP/1.1\r\n\r\n",
    b"POST /ee HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
)
ANSWERS = (
    b'{"events_received":2,"messages":[],"fbtrace_id":"A"}',
    (
        b'{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,'
        b'"error_subcode":2804019,"error_user_title":"T","error_user_msg":"at index 3"}}'
    ),
    b"<html>502 Bad Gateway</html>",
)
TAGS = (
    script_tag("https://track.loja.test", {"site-key": "site"}).encode(),
    b'<!-- <script src="https://a.test/t.js"></script> --><script async data-site-key=x src=/t.js>',
    b"<script>googletagmanager.com/gtm.js</script>",
)


def _bodies(gateway: str) -> list[bytes]:
    found = sorted((ROOT / "tests" / "gateways" / gateway).glob("*.json"))
    return [one.read_bytes() for one in found if not one.name.startswith("_")]


def _ad_files() -> list[bytes]:
    return [
        b"Campaign name,Day,Amount spent (BRL),Impressions,Link clicks\nA,2026-11-23,12.50,100,7\n",
        (
            "Nome da campanha;Dia;Valor usado (BRL);Impressões\r\n"
            '"A; ""b""";23/11/2026;1.234,56;9\r\n'
        ).encode(),
        "Campaign name\tReporting starts\tAmount spent (USD)\nA\t11/23/2026\t$5\n".encode("utf-16"),
    ]


def _request(data: bytes, random: Random) -> InboundRequest:
    proof = random.choice((*PROOFS, data[:60])).decode("latin-1")
    names = ("stripe-signature", "x-hotmart-hottok", "content-type", "x-signature")
    return InboundRequest(data, dict.fromkeys(names, proof), proof, NOON)


def _verify(gateway: Gateway) -> Run:
    def run(data: bytes, random: Random) -> object:
        return gateway.verify(_request(data, random), [SECRET, "", "other"])

    return run


def _parse(gateway: Gateway) -> Run:
    def run(data: bytes, random: Random) -> object:
        try:
            parsed = gateway.parse(_request(data, random))
        except PayloadNotUnderstood as error:
            return str(error)
        if isinstance(parsed, NotASale):
            return parsed.reason
        for one in parsed:
            _storable(msgspec.to_builtins(one))
        return [(one.status, one.money is None) for one in parsed][:3]

    return run


def _decode(data: bytes, random: Random) -> object:
    try:
        read_object(data)
        currency = random.choice(("BRL", "JPY", "KWD", "?", None))
        return to_money(data[:40].decode("latin-1"), currency, random.choice([*NoticeStatus]))
    except PayloadNotUnderstood as error:
        return str(error)


@cache
def _decoders() -> "list[msgspec.json.Decoder[ClickBody | PageviewBody | LeadBody]]":
    return [msgspec.json.Decoder(one) for one in (ClickBody, PageviewBody, LeadBody)]


def _page(data: bytes, random: Random) -> object:
    try:
        body = parse_body(random.choice(_decoders()), data)
        _storable(msgspec.to_builtins(body))
        return type(body)
    except (MalformedBody, InvalidField) as error:
        return str(error)[:40]


def _fields(data: bytes, random: Random) -> object:
    text = data.decode("utf-8", "replace")
    reader = random.choice(
        (
            lambda: fields.parse_id(text, "x"),
            lambda: fields.parse_uuid(text, "x"),
            lambda: fields.parse_digest(text, "x"),
            lambda: fields.parse_client_time(text),
            lambda: fields.parse_client_time(random.choice((1e308, -1e308, 1e18, 0.5, -1))),
            lambda: fields.without_query(text),
            lambda: fields.ad_parameters(text),
        )
    )
    try:
        return type(reader())
    except InvalidField as error:
        return error.field


def _ad_file(data: bytes, _random: Random) -> object:
    try:
        read = read_ad_file(data, currency="BRL")
        _storable(msgspec.to_builtins(read.days))
        return len(read.days)
    except InvalidField as error:
        return getattr(error, "reason", None) or error.field


def _storable(found: object) -> None:
    """Refuse what PostgreSQL's text cannot hold: it would be found out only while storing."""
    if isinstance(found, str):
        found.encode()
        if "\x00" in found:
            raise AssertionError("A text holds NUL.")
    elif isinstance(found, dict):
        _storable([*found, *found.values()])
    elif isinstance(found, list | tuple):
        for one in found:
            _storable(one)


def _forwarded(data: bytes, random: Random) -> object:
    text = data.decode("latin-1")
    parse_address.cache_clear()
    proxies = TrustedProxies(random.choice(((), ("10.0.0.0/8", "::1"), ("0.0.0.0/0", "::/0"))))
    return proxies.client_address("10.0.0.1", [text, text[:9]]) is None


def _mentions(data: bytes, _random: Random) -> object:
    found = mentions(data, data[:200].decode("latin-1"))
    return len(found.keys) > 0, len(found.words) > 0


def _meta_answer(data: bytes, random: Random) -> object:
    headers = {"retry-after": data[:12].decode("latin-1"), "content-type": "application/json"}
    status = random.choice((200, 400, 401, 403, 429, 500, 503, 204))
    answer = answer_of(status, headers, data, sent=random.choice((1, 2, 1000)))
    return answer.verdict, answer.reason


def _tag(data: bytes, _random: Random) -> object:
    return find_tag(data.decode("utf-8", "replace"), "site")
