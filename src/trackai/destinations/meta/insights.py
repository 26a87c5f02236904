"""What ads cost, asked of Meta's Marketing API: an ad account's insights by ad and day.

Facts: Meta's Ads Insights pages (2026). Money comes in the account's currency, as a decimal text;
days are those of the account's time zone; pages are followed by cursor, never by the address in
`next`, which holds the token. The token needs ads_read.
"""

import datetime as dt
import json
import re
from collections.abc import AsyncIterator

import msgspec

from trackai.destinations.http import Http, HttpAnswer
from trackai.destinations.meta.account import API_URL
from trackai.destinations.meta.destination import VERSION
from trackai.errors import DestinationUnreachable, InvalidField
from trackai.model.ad_spend import AdDay
from trackai.model.money import from_major

PAGE_ROWS = 500
# A page of ads with long names; and as many pages as an import may hold.
ANSWER_BYTES = 4 * 2**20
MOST_PAGES = 1000
_OK = 200
_ACCOUNT = re.compile(r"(act_)?([0-9]{1,20})", re.ASCII)
_FIELDS = (
    "campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,spend,impressions,"
    "inline_link_clicks,account_currency"
)
# Codes of Graph: the token; permission; the account; too many calls, for now.
_TOKEN = frozenset((102, 104, 190))
_PERMISSION = frozenset((10, 200, 294))
_MISSING = 100
_BUSY = frozenset((1, 2, 4, 17, 32, 613, 80000, 80004))


class _Row(msgspec.Struct):
    date_start: dt.date
    date_stop: dt.date
    account_currency: str
    spend: str = "0"
    campaign_id: str = ""
    campaign_name: str = ""
    adset_id: str = ""
    adset_name: str = ""
    ad_id: str = ""
    ad_name: str = ""
    impressions: int | None = None
    inline_link_clicks: int | None = None


class _Cursors(msgspec.Struct):
    after: str | None = None


class _Paging(msgspec.Struct):
    cursors: _Cursors = msgspec.field(default_factory=_Cursors)
    next: str | None = None


class _Error(msgspec.Struct):
    code: int = 0


class _Body(msgspec.Struct):
    data: list[_Row] | None = None
    paging: _Paging = msgspec.field(default_factory=_Paging)
    error: _Error | None = None


_BODY = msgspec.json.Decoder(_Body, strict=False)


def account_digits(text: str) -> str:
    """Return an ad account's number; InvalidField when it is none."""
    found = _ACCOUNT.fullmatch(text.strip())
    if found is None:
        raise InvalidField("An ad account is act_ and digits.", field="account")
    return found[2]


class Insights:
    """Asks with one token; its session takes answers of ANSWER_BYTES."""

    def __init__(self, http: Http, token: str, *, api_url: str | None = None) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}
        self._base = f"{(api_url or API_URL).rstrip('/')}/{VERSION}"

    async def days(self, account: str, since: dt.date, until: dt.date) -> list[AdDay]:
        """Return what each ad cost on each day, both ends included.

        InvalidField for an account or token that Meta refuses, DestinationUnreachable or
        DestinationTimeout when it could not be asked now.
        """
        if since > until:
            raise InvalidField("The first day is after the last.", field="since")
        days = [_day(row) async for row in self._rows(account_digits(account), since, until)]
        if any(not since <= one.day <= until for one in days):
            raise DestinationUnreachable("Meta told of days that it was not asked for.")
        return days

    async def _rows(self, account: str, since: dt.date, until: dt.date) -> AsyncIterator[_Row]:
        query = {
            "level": "ad",
            "time_increment": "1",
            "fields": _FIELDS,
            "time_range": json.dumps({"since": f"{since}", "until": f"{until}"}),
            "limit": str(PAGE_ROWS),
        }
        told: set[str] = set()
        for _ in range(MOST_PAGES):
            answer = await self._http.get(
                f"{self._base}/act_{account}/insights", query=query, headers=self._headers
            )
            body = _understood(answer)
            for row in body.data or ():
                yield row
            after = body.paging.cursors.after
            if body.paging.next is None or after is None:
                return
            if after in told:
                raise DestinationUnreachable("Meta tells the same page for ever. Try again later.")
            told.add(after)
            query["after"] = after
        raise InvalidField(
            f"The account's ads have more than {MOST_PAGES:,} pages: ask for fewer days.",
            field="days",
        )


def _understood(answer: HttpAnswer) -> _Body:
    try:
        body = _BODY.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise DestinationUnreachable(
            f"What answered is not Meta, or the answer was cut (HTTP {answer.status})."
        ) from None
    if body.error is None and body.data is not None and answer.status == _OK:
        return body
    code = body.error.code if body.error else 0
    if code in _TOKEN:
        raise InvalidField("Meta does not accept the token.", field="token")
    if code in _PERMISSION:
        raise InvalidField("The token lacks ads_read for this ad account.", field="token")
    if code == _MISSING:
        raise InvalidField(
            "Meta knows no such ad account, or the token is not assigned to it.", field="account"
        )
    later = "Meta takes no more questions for now" if code in _BUSY else "Meta did not answer"
    raise DestinationUnreachable(f"{later} (HTTP {answer.status}, code {code}). Try again later.")


def _day(row: _Row) -> AdDay:
    if row.date_start != row.date_stop:
        raise DestinationUnreachable("Meta told of several days as one.")
    try:
        money = from_major(row.spend, row.account_currency)
        return AdDay(
            day=row.date_start,
            campaign_id=row.campaign_id,
            campaign=row.campaign_name,
            ad_set_id=row.adset_id,
            ad_set=row.adset_name,
            ad_id=row.ad_id,
            ad=row.ad_name,
            currency=money.currency,
            spent_minor=money.amount_minor,
            impressions=row.impressions,
            clicks=row.inline_link_clicks,
        )
    except ValueError as error:
        raise DestinationUnreachable(
            f"Meta told of an ad that cannot be stored: {error}."
        ) from None
