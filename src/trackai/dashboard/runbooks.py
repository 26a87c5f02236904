"""What to do when an alarm fires: the pages of docs/runbooks, as pages."""

import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import See
from trackai.errors import NotFound

router = APIRouter()

_NAME = re.compile(r"[a-z][a-z0-9-]*")
# Pages lead to each other; elsewhere in the docs they lead nowhere here.
_BESIDE = re.compile(r'<a href="([a-z0-9-]+)\.md(#[a-z0-9-]*)?">')
_ELSEWHERE = re.compile(r'<a href="\.\.[^"]*">(.*?)</a>', re.DOTALL)


@router.get("/runbooks/{name}")
async def runbook(request: Request, visit: See, name: str) -> Response:
    """Show a runbook; they are written in English."""
    title, text = read_runbook(name)
    return await render_page(request, visit, "runbook.html", title=title, text=text)


@cache
def read_runbook(name: str) -> tuple[str, Markup]:
    """Return a runbook's title and what stands below it; NotFound when there is none."""
    folder = files("trackai.alarms") / "runbooks"
    path = folder / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFound("There is no such runbook.")
    first, _, rest = path.read_text("utf-8").partition("\n")
    # HTML in the text stays text.
    drawn: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(rest)
    drawn = _ELSEWHERE.sub(r"\1", _BESIDE.sub(r'<a href="/runbooks/\1\2">', drawn))
    drawn = drawn.replace("<pre>", '<pre tabindex="0">')
    return first.removeprefix("# "), Markup(drawn)  # noqa: S704 - drawn from our own pages
