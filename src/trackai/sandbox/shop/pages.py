"""The shop's pages as text. Whatever came from an address or a form is escaped here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from trackai.sandbox.platforms import Person
from trackai.sandbox.platforms.deliver import Delivered
from trackai.sandbox.shop.assets import CUP, LANDING_SCRIPT, STYLE
from trackai.sandbox.shop.words import WORDS, Words

TITLES: Mapping[str, str] = {
    "perfectpay": "PerfectPay",
    "hotmart": "Hotmart",
    "kiwify": "Kiwify",
    "stripe": "Stripe",
}
# The checkout address parameter that each platform returns in its webhook.
CLICK_PARAMETERS: Mapping[str, str] = {
    "perfectpay": "utm_perfect",
    "hotmart": "xcod",
    "kiwify": "s1",
    "stripe": "client_reference_id",
}


@dataclass(frozen=True, slots=True)
class Tracker:
    """What the landing page needs to carry the tracker script."""

    script_url: str
    site_key: str
    consent: str = "granted"  # granted, denied or wait: what the page asks of the script


def landing(language: str, gateways: list[str], tracker: Tracker, switch: Mapping[str, str]) -> str:
    """Return the landing page with the tracker script and a button for each gateway."""
    words = WORDS[language]
    buttons = "".join(
        f'<a class="button" href="/checkout/{name}?lang={language}"'
        # These checkouts are not at the platforms' addresses, so they are named.
        f' data-trackai="{name}">'
        f"<small>{words['buy']}</small> {TITLES[name]}</a>"
        for name in gateways
    )
    seen = "".join(
        f'<dt>{label}</dt><dd id="seen-{name}">{words["waiting"] if name == "sent" else ""}</dd>'
        for name, label in (
            ("sent", words["click"]),
            ("click", "click_id"),
            ("fbc", "fbc"),
            ("fbp", "fbp"),
        )
    )
    points = "".join(f"<li>{words[f'point_{n}']}</li>" for n in (1, 2, 3))
    body = (
        f'<section class="hero"><div><p class="kicker">{words["kicker"]}</p>'
        f'<h1>{words["title"]}</h1><p class="lead">{words["lead"]}</p>'
        f'<ul class="points">{points}</ul></div>{CUP}</section>'
        f'<section class="card"><div class="offer"><h2>{words["choose"]}</h2>'
        f'<div class="price">{words["price"]} <small>{words["once"]}</small></div></div>'
        f'<div class="buy">{buttons}</div><p class="note">{words["fake"]}</p></section>'
        f"<details><summary>{words['seen']}</summary><dl>{seen}</dl></details>"
    )
    said = json.dumps({key: words[key] for key in ("yes", "no", "none")})
    scripts = (
        f'<script type="application/json" id="words">{said}</script>'
        f"<script>{LANDING_SCRIPT}</script>"
        f'<script async src="{escape(tracker.script_url)}"'
        f' data-site-key="{escape(tracker.site_key)}"'
        f' data-consent="{escape(tracker.consent)}"></script>'
    )
    return _page(words, words["title"], body + scripts, switch)


def checkout(language: str, gateway: str, carried: Mapping[str, str], click_id: str) -> str:
    """Return the platform's checkout; `carried` is what its address brought and the form keeps.

    It is the platform's page: the customer's tracker script is not on it.
    """
    words, person = WORDS[language], Person()
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        # One name for the click id, whatever the platform calls it in its address.
        for name, value in {**carried, "click_id": click_id}.items()
    )
    options = "".join(
        f'<option value="{kind}">{words[kind]}</option>' for kind in ("credit_card", "pix")
    )
    body = (
        f'<section class="card narrow"><p class="kicker">{TITLES[gateway]}</p>'
        f'<h1>{words["checkout"]}</h1><div class="offer"><span>{words["product"]}</span>'
        f"<b>{words['price']}</b></div>"
        f'<form method="post" action="/checkout/{gateway}?lang={language}">{hidden}'
        f"{_field('full_name', words['name'], person.full_name, 'text')}"
        f"{_field('email', words['email'], person.email, 'email')}"
        f"{_field('phone', words['phone'], person.phone[2:], 'tel')}"
        f'<label>{words["payment"]}<select name="payment">{options}</select></label>'
        f'<p class="note">{words["invented"]}</p>'
        f'<button class="button">{words["pay"]}</button></form>'
        f'<a class="back" href="/?lang={language}">{words["back"]}</a></section>'
    )
    query = {**carried, CLICK_PARAMETERS[gateway]: click_id}
    return _page(words, words["checkout"], body, query)


def thanks(language: str, gateway: str, transaction: str, click_id: str, outcome: Delivered) -> str:
    """Return the page after payment, with what became of the webhook."""
    words = WORDS[language]
    answer = words["no_answer"] if outcome.status is None else f"HTTP {outcome.status}"
    tone, verdict = ("ok", "taken") if outcome.taken else ("bad", "not_taken")
    rows = (
        (words["platform"], TITLES[gateway], ""),
        (words["transaction"], transaction, ""),
        (words["click_id"], click_id or words["none"], ""),
        (words["webhook"], f"{words[verdict]} ({answer})", tone),
    )
    listed = "".join(
        f'<dt>{label}</dt><dd class="{tone}">{escape(value)}</dd>' for label, value, tone in rows
    )
    body = (
        f'<section class="card narrow"><p class="kicker ok">{words["product"]}</p>'
        f'<h1>{words["thanks"]}</h1><p class="lead">{words["thanks_lead"]}</p><dl>{listed}</dl>'
        f'<a class="button quiet" href="/?lang={language}">{words["again"]}</a></section>'
    )
    return _page(words, words["thanks"], body, None)


def trouble(language: str, sentence: str) -> str:
    """Return a page that says what is wrong; `sentence` is a key of the words."""
    words = WORDS[language]
    body = (
        f'<section class="card narrow"><h1>{words["wrong"]}</h1>'
        f'<p class="lead">{words[sentence]}</p>'
        f'<a class="button quiet" href="/?lang={language}">{words["back"]}</a></section>'
    )
    return _page(words, words["wrong"], body, None)


def _field(name: str, label: str, value: str, kind: str) -> str:
    return (
        f'<label>{label}<input type="{kind}" name="{name}" value="{escape(value)}" required'
        ' maxlength="200" autocomplete="off"></label>'
    )


def _page(words: Words, title: str, body: str, switch: Mapping[str, str] | None) -> str:
    other = ""
    if switch is not None:
        address = escape("?" + urlencode({**switch, "lang": words["other"]}))
        other = f'<a href="{address}">{words["other_name"]}</a>'
    return (
        f'<!DOCTYPE html><html lang="{words["html"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title} · {words['brand']}</title><style>{STYLE}</style></head><body>"
        f'<div class="wrap"><header class="top"><b>{words["brand"]}</b>{other}</header>'
        f"<main>{body}</main></div></body></html>"
    )
