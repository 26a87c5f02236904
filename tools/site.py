"""`make docs`: docs/ as a site in .site/html. A link or an anchor that leads nowhere fails.

Pages that stand elsewhere are brought in, never copied by hand: what to click at a platform from
beside its adapter, the API from its OpenAPI documents, the files at the top of the repository.
Needs no network, and the pages ask none. A link to a file that is no page becomes its name.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any, cast

import yaml
from tools.reference import page_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CONFIG = ROOT / "mkdocs.yml"
SITE = ROOT / ".site"
SRC = ROOT / "src" / "trackai"
TOP = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "reporting.md": "SECURITY.md",
}
DECISIONS = "docs/adr"
_LINK = re.compile(r"(?<!!)\[([^\]\[]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
# What stands inside of an item begins so far in, for the site.
INDENT = 4
_ITEM = re.compile(r"( *)(?:-|\d+\.) ")
# What a page would have a browser fetch from somebody else.
_ASKS = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^>]*>"
)
# What stands elsewhere on its own: an address, not a path.
_ADDRESS = re.compile(r"[a-z]+:")


def sources() -> dict[str, str]:
    """Return where the text of each page stands: page -> path below the repository's root."""
    found = {str(path.relative_to(DOCS)): _named(path) for path in DOCS.rglob("*.md")}
    for path in SRC.glob("gateways/*/setup.*.md"):
        found[f"gateways/{path.parent.name}.{_language(path)}.md"] = _named(path)
    for path in SRC.glob("tracker/setup.*.md"):
        found[f"script.{_language(path)}.md"] = _named(path)
    return found | TOP


def pages() -> dict[str, str]:
    """Return every page of the site: path below its root -> text, with links as they are there."""
    places = sources()
    moved = {place: page for page, place in places.items()} | {DECISIONS: "decisions.md"}
    found = {
        page: _linked(page, place, _indented((ROOT / place).read_text("utf-8")), moved)
        for page, place in places.items()
    }
    found["decisions.md"] = _decisions()
    for path in DOCS.glob("reference/*.json"):
        text = path.read_text("utf-8")
        found[f"reference/{path.stem}.md"] = page_of(path.stem, json.loads(text))
    return found


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _language(path: Path) -> str:
    return path.name.removeprefix("setup.").removesuffix(".md")


def _decisions() -> str:
    lines = ["# Decisions", "", "What somebody will ask about in a year, half a page each.", ""]
    paths = sorted(DOCS.glob("adr/[0-9]*.md"))
    lines += [f"- [{_title(path)}](adr/{path.name})" for path in paths]
    return "\n".join(lines) + "\n"


def _indented(text: str) -> str:
    """Write what stands inside of a list's items as the site's Markdown wants it: four spaces in.

    In the repository it is written as GitHub and the dashboard read it: below the item's text.
    """
    lines, width = [], 0
    for line in text.splitlines():
        item = _ITEM.match(line)
        if item and not item[1]:
            width = len(item[0])
        elif line and not line.startswith(" " * width):
            width = 0
        inside = width and line and not (item and not item[1])
        lines.append(" " * (INDENT - width) + line if inside and width < INDENT else line)
    return "\n".join(lines) + "\n"


def _linked(page: str, place: str, text: str, moved: dict[str, str]) -> str:
    """Let links lead where they do in the repository; one to what is no page is its label alone."""

    def link(match: re.Match[str]) -> str:
        label, target, anchor = match[1], match[2], match[3] or ""
        if _ADDRESS.match(target):
            return match[0]
        meant = normpath(join(dirname(place), target))
        here = moved.get(meant) or meant.removeprefix("docs/")
        if here == meant and (ROOT / meant).exists():
            return label
        # What is nowhere stays a link, so that the build says so.
        return f"[{label}]({relpath(here, dirname(page) or '.')}{anchor})"

    return _LINK.sub(link, text)


def config() -> dict[str, Any]:
    """Return the site's settings, with each folder of its navigation as its pages."""
    found = yaml.safe_load(CONFIG.read_text("utf-8"))
    for section in found["nav"]:
        for entries in section.values():
            for entry in entries if isinstance(entries, list) else ():
                for title, place in entry.items():
                    if place.endswith("/"):
                        entry[title] = _folder(place)
    return cast("dict[str, Any]", found)


def _folder(place: str) -> list[str | dict[str, str]]:
    first: list[str | dict[str, str]] = (
        ["decisions.md"] if f"docs/{place}" == f"{DECISIONS}/" else []
    )
    return first + [
        {_title(path): f"{place}{path.name}"} for path in sorted((DOCS / place).glob("*.md"))
    ]


def _title(path: Path) -> str:
    return path.read_text("utf-8").partition("\n")[0].removeprefix("# ").replace("`", "")


def build() -> int:
    """Put the pages together and build the site; return the exit status."""
    source = SITE / "docs"
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(DOCS, source)
    for page, text in pages().items():
        (source / page).parent.mkdir(parents=True, exist_ok=True)
        (source / page).write_text(text, "utf-8")
    (SITE / "mkdocs.yml").write_text(yaml.safe_dump(config(), allow_unicode=True), "utf-8")
    program = Path(sys.executable).with_name("zensical")
    done = subprocess.run(  # noqa: S603 - our own choice
        [program, "build", "--strict", "--config-file", SITE / "mkdocs.yml"], check=False
    )
    asking = [
        f"{path.relative_to(SITE)}: {found}"
        for path in sorted(SITE.rglob("*.html"))
        for found in _ASKS.findall(path.read_text("utf-8"))
    ]
    print("\n".join(asking))
    return done.returncode or bool(asking)


if __name__ == "__main__":
    sys.exit(build())
