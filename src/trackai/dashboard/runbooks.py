"""What to do when an alarm fires: the pages of docs/runbooks, as pages."""

import re
from functools import cache

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from trackai.alarms.message import words_of
from trackai.alarms.pages import runbook_text
from trackai.dashboard.remedies import REMEDIES, alarm_of
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.visiting import See
from trackai.errors import NotFound

router = APIRouter()

# Pages lead to each other; elsewhere in the docs they lead nowhere here.
_BESIDE = re.compile(r'<a href="([a-z0-9-]+)\.md(#[a-z0-9-]*)?">')
_ELSEWHERE = re.compile(r'<a href="\.\.[^"]*">(.*?)</a>', re.DOTALL)


@router.get("/runbooks/{name}")
async def runbook(request: Request, visit: See, name: str) -> Response:
    """Show what to do: on the pages, where that is enough, then the runbook."""
    language = language_of(request)
    text, alarm = read_runbook(name, language), alarm_of(name)
    if alarm is None:
        raise NotFound("No alarm has this runbook.")
    return await render_page(
        request,
        visit,
        "runbook.html",
        path="/alarms",  # the menu's place of it
        title=words_of(language)[alarm.id]["title"],
        alarm=alarm,
        remedy=REMEDIES.get(alarm.id, ()),
        text=text,
    )


@cache
def read_runbook(name: str, language: str) -> Markup:
    """Return what stands below a runbook's title; NotFound when there is none."""
    page = runbook_text(name, language)
    if page is None:
        raise NotFound("There is no such runbook.")
    # HTML in the text stays text.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    drawn: str = markdown.render(page.partition("\n")[2])
    drawn = _ELSEWHERE.sub(r"\1", _BESIDE.sub(r'<a href="/runbooks/\1\2">', drawn))
    drawn = drawn.replace("<pre>", '<pre tabindex="0">')
    return Markup(drawn)  # noqa: S704 - drawn from our own pages
