"""The script tag that customers paste into their pages: written, and found in a page.

A page that loads the script through a tag manager does not show it: that is said, not guessed.
"""

import html
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

# The script's file, with or without its version.
_FILE = re.compile(r"/t(?:\.[0-9a-f]{6,64})?\.js", re.ASCII)
_MANAGERS = ("googletagmanager.com/gtm.js", "googletagmanager.com/ns.html")
_KEY = "data-site-key"
# A script element's beginning, no longer than anybody writes it, and what is said in it.
_SCRIPT = re.compile(r"<script\b([^<>]{0,2000})>", re.ASCII | re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[a-z][a-z0-9_-]*)(?:\s*=\s*(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)'|(?P<c>[^\s"']+)))?""",
    re.ASCII | re.IGNORECASE,
)


class TagFound(StrEnum):
    """What a page says of the script; a key of words."""

    HERE = "here"
    OTHER_KEY = "other_key"  # with the key of another account
    NO_KEY = "no_key"  # with none: it does nothing
    BY_MANAGER = "by_manager"  # not in the page, but a tag manager is
    NOT_HERE = "not_here"


def script_tag(base_url: str, said: Mapping[str, str], *, version: str | None = None) -> str:
    """Return the tag; `said` are the script's data attributes, `version` pins it for a year."""
    name = f"t.{version}.js" if version else "t.js"
    attributes = "".join(f' data-{key}="{html.escape(value)}"' for key, value in said.items())
    return f'<script async src="{html.escape(base_url)}/{name}"{attributes}></script>'


def find_tag(page: str, site_key: str) -> TagFound:
    """Return what a page's HTML says of the script of this account.

    Anybody may have written the page: looking takes time in proportion to its length, which
    parsers do not promise.
    """
    text = "".join(_without_comments(page))
    scripts = (_attributes(found[1]) for found in _SCRIPT.finditer(text))
    keys = [key for one in scripts if (key := _key_of(one)) is not None]
    if site_key in keys:
        return TagFound.HERE
    if any(keys):
        return TagFound.OTHER_KEY
    if keys:
        return TagFound.NO_KEY
    managed = any(one in text for one in _MANAGERS)
    return TagFound.BY_MANAGER if managed else TagFound.NOT_HERE


def _without_comments(page: str) -> Iterator[str]:
    at = 0
    while (start := page.find("<!--", at)) >= 0:
        yield page[at:start]
        end = page.find("-->", start + 4)
        if end < 0:
            return
        at = end + 3
    yield page[at:]


def _attributes(text: str) -> Mapping[str, str]:
    return {
        found["name"].lower(): html.unescape(found["a"] or found["b"] or found["c"] or "")
        for found in _ATTRIBUTE.finditer(text)
    }


def _key_of(script: Mapping[str, str]) -> str | None:
    """Return a script's site key, blank when it has none; None when it is another script."""
    if _KEY in script:
        return script[_KEY]
    try:
        address = urlsplit(script.get("src", ""))
    except ValueError:
        return None
    if not _FILE.search(address.path):
        return None
    return parse_qs(address.query).get("site_key", [""])[0]
