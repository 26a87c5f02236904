"""The script as it is shipped: what it is made of, and how much of it there is."""

import gzip
import json
import re
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

from tools.minify import minified

from trackai.gateways.registry import gateways
from trackai.tracker.script import PARTS, PLACEHOLDER, build_script, source

# What the product promises, bytes gzipped.
MOST_BYTES = 4096


def test_the_shipped_script_is_made_of_its_source() -> None:
    shipped = (files("trackai.tracker") / "t.min.js").read_text("utf-8")

    assert minified() == shipped, "run make script"


def test_every_part_is_in_the_script() -> None:
    folder = files("trackai.tracker") / "parts"

    assert sorted(f"{name}.js" for name in PARTS) == sorted(one.name for one in folder.iterdir())


def test_the_script_is_small() -> None:
    built = build_script(gateways().values())

    assert len(built.gzipped) < MOST_BYTES
    assert gzip.decompress(built.gzipped) == built.plain


def test_the_script_knows_every_platforms_checkouts_and_parameters() -> None:
    text = build_script(gateways().values()).plain.decode()

    (table,) = re.findall(r'\{"cakto":.*?\]\]\}', text)
    assert PLACEHOLDER not in text
    assert json.loads(table) == {
        name: [list(one.checkout_hosts), list(one.click_parameters)]
        for name, one in gateways().items()
    }


def test_the_same_script_has_the_same_version_and_another_has_another() -> None:
    nova = SimpleNamespace(name="nova", checkout_hosts=("nova.example",), click_parameters=("nv",))
    plain = build_script(gateways().values())

    more = build_script([*gateways().values(), nova])
    assert build_script(gateways().values()).version == plain.version
    assert more.version != plain.version


def test_the_script_writes_nothing_to_the_console() -> None:
    assert "console" not in minified()


DOCS = Path(__file__).parents[3] / "docs" / "tracking.md"


def test_the_docs_name_every_checkout_and_parameter() -> None:
    page = DOCS.read_text()

    for one in gateways().values():
        (row,) = re.findall(rf"^\| {one.title}.*$", page, re.MULTILINE)
        assert ", ".join(f"`{name}`" for name in one.click_parameters) in row
        assert all(host.split(".")[0] in row for host in one.checkout_hosts)


def test_the_docs_name_every_setting_of_the_tag() -> None:
    page, asked = DOCS.read_text(), set(re.findall(r'asked\("([a-z-]+)"\)', source()))

    assert asked
    assert [] == sorted(name for name in asked if f"`data-{name}`" not in page)
