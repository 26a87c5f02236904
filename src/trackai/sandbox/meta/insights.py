"""The insights edge of an ad account: level ad, by day, paged by cursors, as Meta documents it."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

MOST_ROWS = 500
# What a caller may ask for here: Meta knows many more.
FIELDS = (
    *("campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name"),
    *("spend", "impressions", "inline_link_clicks", "account_currency"),
)
_ALWAYS = ("date_start", "date_stop")


def page(
    rows: Sequence[Mapping[str, str]], query: Mapping[str, str], *, endless: bool = False
) -> dict[str, Any]:
    """Return a page of the rows between two days; ValueError for what the edge would refuse.

    `endless`: the next page is this one again.
    """
    if query.get("level") != "ad" or query.get("time_increment") != "1":
        raise ValueError("the sandbox knows level=ad and time_increment=1 alone")
    fields = [name for name in query.get("fields", "").split(",") if name]
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise ValueError(f"{unknown[0]} is not valid for fields param")
    since, until = _range(query.get("time_range", ""))
    found = sorted(
        (row for row in rows if since <= date.fromisoformat(row["date_start"]) <= until),
        key=lambda row: (row["date_start"], row["ad_id"]),
    )
    limit = int(query.get("limit", "25"))
    if not 1 <= limit <= MOST_ROWS:
        raise ValueError("limit is out of range")
    start = _place(query.get("after"))
    some = found[start : start + limit]
    if not some:
        return {"data": []}
    told = [{name: row[name] for name in (*fields, *_ALWAYS) if name in row} for row in some]
    end = start if endless else start + len(some)
    paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
    if end < len(found):
        paging["next"] = "https://graph.facebook.com/…"  # holds the token: nobody should follow it
    return {"data": told, "paging": paging}


def _range(text: str) -> tuple[date, date]:
    try:
        asked = json.loads(text)
        since, until = date.fromisoformat(asked["since"]), date.fromisoformat(asked["until"])
    except (ValueError, KeyError, TypeError):
        raise ValueError("time_range must be an object with since and until") from None
    if since > until:
        raise ValueError("time_range since is after until")
    return since, until


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _place(cursor: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor)) if cursor else 0
    except (ValueError, binascii.Error):
        raise ValueError("Invalid cursors values") from None
