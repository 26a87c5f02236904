"""The documents as a site: every page is in the navigation, brought in from where it stands."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

import pytest
from tools import reference, site

ROOT = Path(__file__).parents[2]
PAGES = site.pages()
GATEWAYS = sorted(path.parent.name for path in site.SRC.glob("gateways/*/gateway.py"))


def named(entries: Any) -> Iterator[str]:
    """Yield every page that a navigation names."""
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        for value in entries.values():
            yield from named(value)
    else:
        for entry in entries:
            yield from named(entry)


def test_the_navigation_names_every_page_once_and_nothing_else() -> None:
    found = list(named(site.config()["nav"]))

    assert sorted(PAGES) == sorted(found)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_each_gateway_has_its_set_up_in_both_languages_from_beside_its_adapter(
    gateway: str, language: str
) -> None:
    source = site.SRC / "gateways" / gateway / f"setup.{language}.md"

    title = source.read_text().partition("\n")[0]
    assert title == PAGES[f"gateways/{gateway}.{language}.md"].partition("\n")[0]
    assert f"gateways/{gateway}.{language}.md" in PAGES["gateways.md"]
    assert f"gateways/{gateway}.{language}.md" in PAGES[f"quick-start.{language}.md"]


def test_links_between_pages_lead_somewhere_and_none_leaves_for_a_file() -> None:
    lost = [
        (page, target)
        for page, text in PAGES.items()
        for _, target, _ in site._LINK.findall(text)
        if not site._ADDRESS.match(target)
        and (place := normpath(join(dirname(page), target))) not in PAGES
        and not (site.DOCS / place).exists()
    ]

    assert [] == lost


@pytest.mark.parametrize("name", ["edge", "api"])
def test_the_reference_says_what_the_program_says(name: str) -> None:
    written = (reference.FOLDER / f"{name}.json").read_text("utf-8")

    # `make reference` writes it.
    assert reference.text_of(reference.documents()[name]) == written


@pytest.mark.parametrize("name", ["edge", "api"])
def test_the_reference_has_every_address_and_every_shape(name: str) -> None:
    document = json.loads((reference.FOLDER / f"{name}.json").read_text("utf-8"))
    page = PAGES[f"reference/{name}.md"]

    assert [] == [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if f"\n## `{method.upper()} {path}`\n" not in page
    ]
    assert [] == [one for one in document["components"]["schemas"] if f"\n### {one}\n" not in page]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("1. a\n\n       code\n2. b", "1. a\n\n        code\n2. b\n"),
        ("- a\n  - b\n  - c\n\nd", "- a\n    - b\n    - c\n\nd\n"),
        ("10. a\n    b\n\n    code", "10. a\n    b\n\n    code\n"),
    ],
)
def test_what_stands_inside_of_a_list_is_four_spaces_in(written: str, wanted: str) -> None:
    assert wanted == site._indented(written)


def test_a_link_to_a_file_that_is_no_page_is_its_label() -> None:
    moved = {"SECURITY.md": "reporting.md", "docs/api.md": "api.md"}
    text = "[a](../SECURITY.md#x) [b](../Makefile) [c](api.md) [d](gone.md) [e](https://e.example)"

    assert "[a](reporting.md#x) b [c](api.md) [d](gone.md) [e](https://e.example)" == site._linked(
        "index.md", "docs/index.md", text, moved
    )


BUILDS = pytest.mark.skipif(
    not Path(sys.executable).with_name("zensical").exists(),
    reason="The site's program is not here: make docs brings it.",
)


@BUILDS
def test_the_site_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "SITE", tmp_path)

    assert 0 == site.build()
    assert (tmp_path / "html" / "gateways" / "hotmart.pt-BR.html").exists()


@BUILDS
@pytest.mark.parametrize(
    ("added", "status"),
    [
        ("[there](index.md#here)", 0),
        ("[gone](nowhere.md)", 1),
        ("[gone](index.md#nowhere)", 1),
        ('<script src="https://cdn.example.com/x.js"></script>', 1),
    ],
)
def test_a_link_that_leads_nowhere_or_a_page_that_asks_others_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, added: str, status: int
) -> None:
    settings = site.config() | {"nav": ["index.md"]}
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(site, "SITE", tmp_path / "site")
    monkeypatch.setattr(site, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(site, "pages", lambda: {"index.md": f"# Here\n\n{added}\n"})
    monkeypatch.setattr(site, "config", lambda: settings)

    assert status == site.build()
