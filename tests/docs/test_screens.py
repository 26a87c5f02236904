"""Whoever reads the docs sees the product: every page, in both languages and both themes."""

import re
from pathlib import Path

from fastapi.routing import APIRoute
from tools.moments import MOMENTS
from tools.screenshots import (
    AT_THE_DOOR,
    BESIDE,
    FOLDER,
    INSIDE,
    LOCALES,
    ON_PHONES,
    THEMES,
    WIDTHS,
)

from trackai.dashboard.app import ROOMS
from trackai.dashboard.navigation import PLACES

# What can be opened and is no page: files, streams, documents.
NO_PAGES = ("/static/", "/exports/", "/live/stream", "/go-live/document")
# Pages that something has to be done for: where they are, and what they are called.
DONE_FOR = {
    "/join/": "join",
    "/password/": "password",
    "/sign-in/code": "code",
    "/privacy/erasures/": "erasure",
    "/failures/replays/": "replay",
}
DRAWN = (
    {place.path: place.name for place in PLACES}
    | {path: name for name, path in (*AT_THE_DOOR, *BESIDE)}
    | {begins: name for name, _, begins in INSIDE}
    | DONE_FOR
)
README = (FOLDER / "README.md").read_text()


def opened() -> list[str]:
    """Return what can be opened, as far as it is the same for all of its kind."""
    routes = [one for room in ROOMS for one in room.router.routes if isinstance(one, APIRoute)]
    paths = [one.path.partition("{")[0] for one in routes if "GET" in (one.methods or ())]
    return [one for one in paths if one not in NO_PAGES]


def test_every_page_that_can_be_opened_is_drawn() -> None:
    # Of steps each is drawn by its name.
    steps = "/start/"

    assert [one for one in opened() if one not in DRAWN and one != steps] == []
    assert len([one for one in DRAWN if one.startswith(steps)]) == 5
    assert set(DONE_FOR.values()) <= {"join", *MOMENTS}


def test_what_is_drawn_is_kept_and_shown() -> None:
    names = {*DRAWN.values(), *MOMENTS}
    files = {
        f"{name}{suffix}-{language}-{theme}.webp"
        for name in names
        for suffix in WIDTHS
        for language in LOCALES
        for theme in THEMES
        if not suffix or name in ON_PHONES
    }
    kept = {one.name for one in Path(FOLDER).glob("*.webp")}

    assert files == kept
    assert files == set(re.findall(r"\(([^)]+\.webp)\)", README))
