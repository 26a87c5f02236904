"""What ads cost, taken in from a file of their platform."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from trackai.accounts.ad_spend import AdSpend, Imported
from trackai.analytics.ad_errors import BadAdFile
from trackai.analytics.ad_files import AdFile, read_ad_file
from trackai.analytics.metrics import tenant_of
from trackai.analytics.notation import DateOrder, DecimalSign
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import Configure, See, Visit, fields_of, file_of, tools_of
from trackai.dashboard.words import say
from trackai.errors import InvalidField
from trackai.model.money import parse_currency

router = APIRouter()

PATH = "/campaigns/spend"
# Longest file; Meta's of thirty days and a thousand ads has some five.
MOST_FILE_BYTES = 8 * 1024 * 1024
PLATFORMS = ("meta", "google", "tiktok", "kwai")


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file came to."""

    imported: Imported
    file: AdFile
    currency: str  # where the file names none


@router.get(PATH)
async def show_spend(request: Request, visit: See) -> Response:
    """Show what was taken in so far, and how to take in more."""
    return await _page(request, visit)


@router.post(PATH)
async def take_spend(request: Request, visit: Configure) -> Response:
    """Take a file in; what is there already of the same ad and day is replaced."""
    fields = await fields_of(request)
    try:
        taken = await _take(request, visit, fields)
    except InvalidField as error:
        problem = _problem(language_of(request), error)
        return await _page(request, visit, problem=problem, fields=fields)
    return await _page(request, visit, taken=taken)


async def _take(request: Request, visit: Visit, fields: Mapping[str, str]) -> Taken:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    content = await file_of(request, "file")
    if not content:
        raise BadAdFile("Choose a file.", "missing")
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        own = (await tenant_of(tx, tenant_id=tenant_id)).currency
    currency = _currency(fields.get("currency", "").strip() or own)
    decimal, dates = fields.get("decimal"), fields.get("dates")
    # A large file takes a second: others are answered meanwhile.
    file = await asyncio.to_thread(
        read_ad_file,
        content,
        currency=currency,
        decimal=DecimalSign(decimal) if decimal in set(DecimalSign) else None,
        dates=DateOrder(dates) if dates in set(DateOrder) else None,
    )
    whose = (fields.get("platform", PLATFORMS[0]), fields.get("account", "").strip())
    return Taken(await _spend(request, visit).take(*whose, file.days), file, currency)


async def _page(
    request: Request,
    visit: Visit,
    *,
    problem: str | None = None,
    fields: Mapping[str, str] | None = None,
    taken: Taken | None = None,
) -> Response:
    return await render_page(
        request,
        visit,
        "ad_spend.html",
        status=422 if problem else 200,
        problem=problem,
        fields=fields or {},
        taken=taken,
        accounts=await _spend(request, visit).accounts(),
        platforms=PLATFORMS,
        decimals=list(DecimalSign),
        orders=list(DateOrder),
        most=MOST_FILE_BYTES,
    )


def _spend(request: Request, visit: Visit) -> AdSpend:
    tools = tools_of(request)
    return AdSpend(
        *(tools.database, tools.clock, tools.new_id),
        visit.membership.tenant_id,
        visit.who.actor,
    )


def _currency(text: str) -> str:
    try:
        return parse_currency(text)
    except ValueError as error:
        raise InvalidField("There is no such currency.", field="currency") from error


def _problem(language: str, error: InvalidField) -> str:
    """Return what is wrong with a file, in the reader's words, with its row."""
    if not isinstance(error, BadAdFile):
        return say(language, f"ad_file.bad_{error.field or 'rows'}")
    why = say(language, f"ad_file.{error.reason}", **error.said)
    return why if error.row is None else say(language, "ad_file.row", row=error.row, why=why)
