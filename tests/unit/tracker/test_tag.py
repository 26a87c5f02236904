"""The script tag: written for a page, and found in one."""

import pytest

from trackai.tracker.tag import TagFound, find_tag, script_tag

KEY = "site_abc-DEF_123"
MANAGER = '<script src="https://www.googletagmanager.com/gtm.js?id=GTM-1"></script>'


def page(*parts: str) -> str:
    return f"<!doctype html><html><head>{''.join(parts)}</head><body><p>Café</p></body></html>"


def test_the_tag_that_is_written_is_found() -> None:
    tag = script_tag("https://track.example.com", {"site-key": KEY, "consent": "wait"})
    pinned = script_tag("https://track.example.com", {"site-key": KEY}, version="0a1b2c3d4e5f")

    assert tag == (
        '<script async src="https://track.example.com/t.js" '
        f'data-site-key="{KEY}" data-consent="wait"></script>'
    )
    assert "/t.0a1b2c3d4e5f.js" in pinned
    assert [find_tag(page(one), KEY) for one in (tag, pinned)] == [TagFound.HERE] * 2


def test_what_is_written_into_the_tag_cannot_leave_it() -> None:
    assert script_tag("https://x", {"site-key": '"><b>'}).count("<") == 2


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ([f"<script src=/px/t.js data-site-key={KEY}></script>"], TagFound.HERE),
        ([f'<SCRIPT SRC="//t.example.com/t.js?site_key={KEY}"></SCRIPT>'], TagFound.HERE),
        ([f'<script src="/own-name.js" data-site-key="{KEY}"></script>'], TagFound.HERE),
        (['<script src="/t.js" data-site-key="site_other"></script>'], TagFound.OTHER_KEY),
        (['<script src="https://t.example.com/t.js"></script>'], TagFound.NO_KEY),
        (['<script src="/t.js" data-site-key></script>', MANAGER], TagFound.NO_KEY),
        ([f'<!-- <script src="/t.js" data-site-key="{KEY}"></script> -->'], TagFound.NOT_HERE),
        ([MANAGER], TagFound.BY_MANAGER),
        (['<script src="/plot.js"></script>', "<script>let a = 1</script>"], TagFound.NOT_HERE),
        ([], TagFound.NOT_HERE),
    ],
)
def test_what_a_page_says_of_the_script(parts: list[str], found: TagFound) -> None:
    assert find_tag(page(*parts), KEY) is found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\xff",
        "<script",
        '<script src="http://[x"></script>',
        "<" * 9999,
        "<script " * 200_000,
        "<!--" * 200_000,
        "<![x[",
        "<script a=" * 99_999,
    ],
)
def test_no_page_breaks_the_look(text: str) -> None:
    assert find_tag(text, KEY) is TagFound.NOT_HERE
