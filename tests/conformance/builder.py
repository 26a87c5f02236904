"""Meta's parameter builder on its recorded requests, and where the product differs on purpose.

A request becomes what the product knows of it: the page's address as a browser shows it, the
cookies, the referrer. `DIFFERENCES` is the one table: for each reason the cases, and what they get.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.ours import cases

from trackai.destinations.meta.click_ids import find_fbc, find_fbp
from trackai.ingest.fields import ad_parameters, without_query
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.match import ClickCandidate
from trackai.model.notice import Tracking

CASES = cases("paramsbuilder_cases.json")
# The builder's clock in these cases.
NOW = dt.datetime.fromtimestamp(1795440000.123, dt.UTC)
SALE = NOW + dt.timedelta(hours=2)
SUFFIXES = (".AQICAQMC", ".AQIDAQMC", ".AQIAAQMC")
KEYS = ("fbc", "fbp", "event_source_url", "referrer_url")
# What else the builder says is about cookies that a server sets; ours sets none. The page's script
# does, on the widest domain that the browser takes, so never on com.br: tests/browser asks it.
NOT_SET_HERE = frozenset({"outcome", "etld_plus_one", "subdomain_index", "cookies_to_set"})


@dataclass(frozen=True)
class Request:
    """What the product knows of a request."""

    fbclid: str | None
    cookies: dict[str, str]
    page_url: str | None
    referrer: str | None


def read(case: dict[str, Any]) -> Request:
    """Return the request of a case, whichever of three ways it is written in."""
    given = case["input"]
    if "wsgi" in given:
        return _of_wsgi(given["wsgi"])
    if "asgi" in given:
        return _of_asgi(given["asgi"])
    values = (given.get("queries") or {}).get("fbclid")
    scheme, uri = given.get("scheme"), given.get("request_uri", "")
    return Request(
        fbclid=values[0] if isinstance(values, list) else values,
        cookies=given.get("cookies") or {},
        page_url=f"{scheme}://{given['host']}{uri}" if scheme else None,
        referrer=given.get("referer"),
    )


def _of_wsgi(environ: dict[str, str]) -> Request:
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    path = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
    url = f"{environ['wsgi.url_scheme']}://{host}{path}?{environ['QUERY_STRING']}"
    return _of_page(url, environ.get("HTTP_COOKIE", ""), environ.get("HTTP_REFERER"))


def _of_asgi(scope: dict[str, Any]) -> Request:
    headers = [(name, value) for name, value in scope["headers"]]
    named = dict(headers)
    host = named.get("host") or named.get(":authority") or "{}:{}".format(*scope["server"])
    url = f"{scope['scheme'].lower()}://{host}{scope['raw_path']}?{scope['query_string']}"
    cookies = "; ".join(value for name, value in headers if name == "cookie")
    return _of_page(url, cookies, named.get("referer"))


def _of_page(url: str, cookies: str, referrer: str | None) -> Request:
    """Return what a browser shows: the address as it is, each cookie by its name."""
    pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
    return Request(
        fbclid=ad_parameters(url).get("fbclid"),
        cookies={name: value for name, _, value in pairs if name},
        page_url=url,
        referrer=referrer,
    )


def ours(case: dict[str, Any]) -> dict[str, str | None]:
    """Return what the product sends."""
    request = read(case)
    ads = AdIdentifiers(
        fbclid=request.fbclid, fbc=request.cookies.get("_fbc"), fbp=request.cookies.get("_fbp")
    )
    page, referrer = without_query(request.page_url), without_query(request.referrer)
    click = ClickCandidate("c1", NOW, ads, Visitor(), page, referrer)
    return {
        "fbc": find_fbc(click, Tracking(), SALE),
        "fbp": find_fbp(click, Tracking()),
        "event_source_url": page,
        "referrer_url": referrer,
    }


def theirs(case: dict[str, Any]) -> dict[str, str | None]:
    """Return what the builder says, without the suffix that names its version and language.

    A cookie's own suffix stays; the builder adds none to it.
    """
    request = read(case)
    kept = {*request.cookies.values()}
    found: dict[str, str | None] = {}
    for key in KEYS:
        text = case["expected"].get(key)
        cut = text is not None and text not in kept and text.endswith(SUFFIXES)
        found[key] = text[: -len(SUFFIXES[0])] if cut else text
    return found


@dataclass(frozen=True)
class Difference:
    """Cases in which one key differs, why, and what the builder's value becomes."""

    key: str
    reason: str
    becomes: Callable[[str | None], str | None]
    cases: str


def _sent(value: str | None) -> Callable[[str | None], str | None]:
    return lambda _theirs: value


def _index_of_a_server(theirs: str | None) -> str:
    return re.sub(r"^fb\.[02]\.1795440000123\.", "fb.1.1795440000123.", theirs or "")


_FBCLID = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"
_COOKIE = f"fb.1.1554763741205.{_FBCLID}"

DIFFERENCES = (
    Difference(
        "fbc",
        "Meta's page: a server that makes an fbc without a cookie says 1. The builder says how "
        "many dots its cookie domain has: 2 for exemplo.com.br, 0 for an address of digits.",
        _index_of_a_server,
        """pb-055 pb-056 pb-057 pb-058 pb-059 pb-060 pb-061 pb-062 pb-064 pb-065 pb-066 pb-067
        pb-068 pb-074 pb-076 pb-077 pb-078 pb-080 pb-085 pb-086 pb-087 pb-089 pb-090 pb-091 pb-092
        pb-093 pb-094 pb-096 pb-097 pb-098 pb-099""",
    ),
    Difference(
        "fbc",
        "An empty fbclid is none; the builder makes an fbc without it, which Meta refuses.",
        _sent(None),
        "pb-004 pb-088",
    ),
    Difference(
        "fbc",
        "A referrer's fbclid is another page's click, decoded a second time at that; the click of "
        "this page is the one in its own address. (The script looks there when it knows no click "
        "yet and the page is on the same host.)",
        _sent(None),
        "pb-015 pb-016 pb-018 pb-019 pb-020",
    ),
    Difference(
        "fbc", "For the same reason a referrer replaces no cookie.", _sent(_COOKIE), "pb-028"
    ),
    Difference(
        "fbc",
        "The builder does not know its own cookie again when the fbclid has dots; the older time "
        "is the better one.",
        _sent("fb.1.1554763741205.a.b.c"),
        "pb-010",
    ),
    Difference(
        "fbc",
        "The builder drops a cookie for a suffix that it does not know. The fbclid is whole.",
        _sent(f"{_COOKIE}.ZZ"),
        "pb-032",
    ),
    Difference("fbc", "The same, of three characters.", _sent(f"{_COOKIE}.abc"), "pb-033"),
    Difference("fbc", "The same, of two parts.", _sent(f"{_COOKIE}.a.b"), "pb-036"),
    Difference(
        "fbc",
        "Not an fbc: too few parts, no fb in front, no time. The builder passes any four parts on, "
        "and Meta refuses the event. Here the field is left out and counted.",
        _sent(""),
        "pb-035 pb-037 pb-038",
    ),
    Difference(
        "fbp",
        "The browser's fbp is made in the browser, by the pixel or the page's script. One that a "
        "server makes up for a page it does not serve belongs to no browser.",
        _sent(None),
        """pb-000 pb-001 pb-002 pb-003 pb-004 pb-005 pb-006 pb-007 pb-008 pb-009 pb-010 pb-011
        pb-012 pb-013 pb-014 pb-015 pb-016 pb-017 pb-018 pb-019 pb-020 pb-021 pb-022 pb-023 pb-039
        pb-040 pb-097""",
    ),
    Difference(
        "fbp",
        "The builder replaces a browser's fbp for a suffix that it does not know.",
        _sent("fb.1.1596403881668.1116446470.ZZ"),
        "pb-032",
    ),
    Difference("fbp", "Not an fbp, as above.", _sent(""), "pb-035 pb-037"),
    Difference(
        "event_source_url",
        "Query and fragment stay home: personal data tends to be there.",
        without_query,
        """pb-081 pb-084 pb-085 pb-086 pb-087 pb-088 pb-089 pb-090 pb-091 pb-092 pb-093 pb-094
        pb-095 pb-096 pb-097 pb-098 pb-099""",
    ),
    Difference(
        "referrer_url",
        "The same. An empty referrer is none.",
        without_query,
        "pb-015 pb-016 pb-017 pb-018 pb-019 pb-020 pb-021 pb-022 pb-023 pb-028",
    ),
)
