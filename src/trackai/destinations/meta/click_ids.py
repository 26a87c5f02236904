"""fbc and fbp: Meta's click and browser identifiers, checked, built, never invented or changed.

fbc is fb.<subdomain index>.<creation time in ms>.<fbclid>, fbp ends in a random number instead;
Meta's parameter builder adds one more part, which stays. An fbc without its fbclid makes Meta
refuse the whole event ("Click ID Incorrectly Formatted").
"""

import datetime as dt

from trackai.model.match import ClickCandidate
from trackai.model.notice import Tracking

# Meta keeps a click for 90 days; an older one cannot be attributed.
CLICK_LIFETIME = dt.timedelta(days=90)
# Meta's index for an identifier made by a server.
_SERVER_INDEX = 1
_PARTS = 4
# Suffixes of the parameter builder: two characters of old, eight of late.
_SUFFIX_LENGTHS = (2, 8)


def valid_fbc(text: str | None) -> str | None:
    """Return the identifier when it has all its parts, else None."""
    parts = _parts(text)
    return text if parts and not parts[3].startswith(".") and parts[3].isprintable() else None


def valid_fbp(text: str | None) -> str | None:
    """Return the identifier when it has all its parts, else None."""
    parts = _parts(text)
    return text if parts and _is_number(parts[3].partition(".")[0]) else None


def find_fbc(
    click: ClickCandidate | None, tracking: Tracking, event_time: dt.datetime
) -> str | None:
    """Return the fbc to send; None when there is none, empty when all there are cannot be used.

    A cookie is older and so better than one built here, unless the address brought another
    fbclid. A sale that brings an fbclid without a click saw it first at its own time.
    """
    cookie, fbclid = (click.ads.fbc, click.ads.fbclid) if click else (None, None)
    if not (cookie or fbclid or tracking.fbc or tracking.fbclid):
        return None
    found = None
    if click is not None and event_time - click.clicked_at <= CLICK_LIFETIME:
        found = _of_click(cookie, fbclid, click.clicked_at)
    return found or valid_fbc(tracking.fbc) or _build(tracking.fbclid, event_time) or ""


def find_fbp(click: ClickCandidate | None, tracking: Tracking) -> str | None:
    """Return the fbp to send, the page's before the checkout's; None and empty as above."""
    cookie = click.ads.fbp if click else None
    if not (cookie or tracking.fbp):
        return None
    return valid_fbp(cookie) or valid_fbp(tracking.fbp) or ""


def _of_click(cookie: str | None, fbclid: str | None, clicked_at: dt.datetime) -> str | None:
    cookie = valid_fbc(cookie)
    if not fbclid or (cookie and _carries(cookie, fbclid)):
        return cookie
    return _build(fbclid, clicked_at) or cookie


def _build(fbclid: str | None, first_seen: dt.datetime) -> str | None:
    if not fbclid:
        return None
    return valid_fbc(f"fb.{_SERVER_INDEX}.{int(first_seen.timestamp() * 1000)}.{fbclid}")


def _carries(fbc: str, fbclid: str) -> bool:
    inside = fbc.split(".", _PARTS - 1)[3]
    suffix = inside.removeprefix(f"{fbclid}.")
    return inside == fbclid or (suffix != inside and len(suffix) in _SUFFIX_LENGTHS)


def _parts(text: str | None) -> list[str] | None:
    parts = (text or "").split(".", _PARTS - 1)
    if len(parts) == _PARTS and parts[0] == "fb" and _is_number(parts[1]) and _is_number(parts[2]):
        return parts if parts[3] else None
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
