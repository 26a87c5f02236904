"""The page a customer looks at: what arrived, as in Events Manager's test events."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from trackai.sandbox.meta.state import ReceivedEvent
from trackai.sandbox.meta.words import PAGE_WORDS

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "vary": "Accept, Accept-Language",
}

_CSS = """
:root{color-scheme:light dark;--bg:#f3f5f8;--card:#fff;--ink:#1a2230;--soft:#5b6675;
--line:#e1e6ec;--blue:#0b61d8;--tag:#eaf2fe;--warn:#9a5b00}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--card:#1b212b;--ink:#e8edf4;--soft:#9aa6b5;
--line:#2c3542;--blue:#6aa8ff;--tag:#20304a;--warn:#f0b35a}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:860px;margin:0 auto;padding:2rem 1rem 4rem}h1{margin:0;font-size:1.6rem}
.lead{margin:.2rem 0 1.4rem;color:var(--soft)}a{color:var(--blue)}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:1.4rem 0 1rem;border-bottom:1px solid
var(--line)}nav a{padding:.4rem 0;text-decoration:none;color:var(--soft)}
nav a[aria-current]{color:var(--ink);font-weight:600;box-shadow:0 2px var(--blue)}
nav .right{margin-left:auto}
dl.sums{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.8rem;margin:0}
dl.sums div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7rem
1rem}dl.sums dt{color:var(--soft);font-size:.85rem}dl.sums dd{margin:0;font-size:1.5rem;
font-weight:600;font-variant-numeric:tabular-nums}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;
margin:0 0 .8rem}article header{display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
article h2{margin:0;font-size:1.1rem}.money{font-weight:600}time,.id{color:var(--soft);
font-size:.85rem}time{margin-left:auto}.id{overflow-wrap:anywhere}.warn{color:var(--warn)}
.tags{display:flex;flex-wrap:wrap;gap:.3rem;margin:.6rem 0 .4rem;padding:0;list-style:none}
.tags li{background:var(--tag);border-radius:6px;padding:.05rem .5rem;font-size:.85rem}
summary{cursor:pointer;color:var(--blue);font-size:.9rem}
pre{overflow:auto;margin:.6rem 0 0;padding:.8rem;background:var(--bg);border-radius:8px;
font-size:.8rem;white-space:pre-wrap;overflow-wrap:anywhere}
.empty{padding:2.5rem 1rem;text-align:center;color:var(--soft);background:var(--card);
border:1px dashed var(--line);border-radius:10px}
"""


def render(
    events: Sequence[ReceivedEvent],
    summary: Mapping[str, Any],
    *,
    language: str,
    everything: bool,
) -> str:
    """Return the page in "pt" or "en"; `events` newest first."""
    words = PAGE_WORDS[language]
    sums = {
        "accepted": summary["accepted"],
        "duplicates": summary["duplicates"],
        "refused": sum(summary["refused"].values()),
        "requests": summary["requests"],
    }
    boxes = "".join(f"<div><dt>{words[k]}</dt><dd>{n}</dd></div>" for k, n in sums.items())
    empty = words["empty" if everything else "empty_test"]
    listed = "".join(_article(e, words) for e in events) or f'<p class="empty">{empty}</p>'
    return (
        f'<!DOCTYPE html><html lang="{words["html"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{words['title']}</title><style>{_CSS}</style></head><body><main>"
        f'<h1>{words["title"]}</h1><p class="lead">{words["lead"]}</p>'
        f'<dl class="sums">{boxes}</dl>{_tabs(words, language, everything=everything)}'
        f"{listed}</main></body></html>"
    )


def _tabs(words: Mapping[str, str], language: str, *, everything: bool) -> str:
    here = ' aria-current="page"'
    other, name = ("en", "English") if language == "pt" else ("pt", "Português")
    view = "all" if everything else "test"
    return (
        f'<nav><a href="?view=all&amp;lang={language}"{here if everything else ""}>'
        f'{words["all"]}</a><a href="?view=test&amp;lang={language}"'
        f"{'' if everything else here}>{words['test']}</a>"
        f'<a class="right" href="?view={view}&amp;lang={language}">{words["refresh"]}</a>'
        f'<a href="?view={view}&amp;lang={other}">{name}</a></nav>'
    )


def _article(event: ReceivedEvent, words: Mapping[str, str]) -> str:
    user = event.payload.get("user_data", {})
    tags = "".join(f"<li>{escape(str(key))}</li>" for key in user)
    identity = escape(f"event_id {event.event_id}") if event.event_id else words["no_id"]
    note = f' <span class="warn">{words["duplicate"]}</span>' if event.duplicate else ""
    pretty = escape(_pretty(event.payload))
    return (
        f"<article><header><h2>{escape(event.event_name)}</h2>"
        f'<span class="money">{escape(_money(event.payload, words["decimal"]))}</span>{note}'
        f"<time>{event.received_at.strftime(words['moment'])}</time></header>"
        f'<div class="id{"" if event.event_id else " warn"}">{identity}</div>'
        f'<ul class="tags" aria-label="{words["keys"]}">{tags}</ul>'
        f"<details><summary>{words['payload']}</summary><pre>{pretty}</pre></details></article>"
    )


def _money(payload: Mapping[str, Any], decimal: str) -> str:
    custom = payload.get("custom_data") or {}
    value, currency = custom.get("value"), custom.get("currency")
    if value is None or not currency:
        return ""
    return f"{value:.2f} {str(currency).upper()}".replace(".", decimal)


def _pretty(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)
