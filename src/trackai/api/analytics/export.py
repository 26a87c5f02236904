"""/api/v1/analytics/export.csv and export.json: all rows of a period, as one download."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from trackai.analytics.export import KINDS, MEDIA_TYPES, Stored, What, written
from trackai.api.analytics.asking import Reader, looking
from trackai.api.analytics.events import RowsAsked
from trackai.errors import InvalidField
from trackai.storage.events import Place

router = APIRouter()


class ExportAsked(RowsAsked):
    """Which rows; of the last 30 days when no period is given."""

    what: What = What.EVENTS

    def check(self) -> None:
        """InvalidField for a filter that the rows do not have."""
        known = KINDS[self.what].statuses
        if self.status is not None and self.status not in known:
            raise InvalidField(f"Status is one of {', '.join(known)}.", field="status")
        if self.campaign is not None and self.what is What.ATTEMPTS:
            raise InvalidField("Tries know no campaign; export events.", field="campaign")


@router.get("/export.csv", response_class=StreamingResponse)
async def export_csv(
    request: Request, caller: Reader, asked: Annotated[ExportAsked, Query()]
) -> StreamingResponse:
    """Download as CSV: UTF-8, commas, a line of names first."""
    return _download(await _rows(request, caller, asked), asked, "csv")


@router.get("/export.json", response_class=StreamingResponse)
async def export_json(
    request: Request, caller: Reader, asked: Annotated[ExportAsked, Query()]
) -> StreamingResponse:
    """Download as one JSON array."""
    return _download(await _rows(request, caller, asked), asked, "json")


async def _rows(request: Request, caller: Reader, asked: ExportAsked) -> Stored:
    asked.check()
    async with looking(request, caller, asked) as view:
        period = asked.period_in(view, usual="30d")
    return Stored(
        request.app.state.tools.database,
        caller.tenant_id,
        KINDS[asked.what],
        asked.wanted(period.start),
        Place.before(period.end),
    )


def _download(rows: Stored, asked: ExportAsked, ending: str) -> StreamingResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="trackai-{asked.what.value}.{ending}"',
        "Cache-Control": "no-store",
        "Vary": "Authorization",
    }
    return StreamingResponse(written(rows, ending), media_type=MEDIA_TYPES[ending], headers=headers)
