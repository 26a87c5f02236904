"""The pages that say what to click where, as parts that templates print."""

import pytest

from trackai.dashboard.guides import gateway_guide, read_guide, script_guide, spans
from trackai.gateways.registry import gateways

PAGE = """# Title

You need it.
All of it.

## One

1. First **strong** and `code`
   goes on.

       <script></script>

2. Second:
   - below
   - more
     of it
- A list
"""


def test_a_page_becomes_sections_of_blocks() -> None:
    opening, one = read_guide(PAGE)
    steps, plain = one.blocks

    assert opening.blocks[0].items[0].text == "You need it. All of it."
    assert (one.title, steps.kind, plain.kind) == ("One", "ol", "ul")
    assert [item.text for item in steps.items] == [
        "First **strong** and `code` goes on.",
        "Second:",
    ]
    assert steps.items[0].code == "<script></script>"
    assert steps.items[1].below == ["below", "more of it"]


def test_marks_become_spans_and_nothing_is_lost() -> None:
    assert [*spans("a **b** `c_d`, <e>")] == [
        ("text", "a "),
        ("strong", "b"),
        ("text", " "),
        ("code", "c_d"),
        ("text", ", <e>"),
    ]


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("name", gateways())
def test_every_gateway_has_steps_in_order(name: str, language: str) -> None:
    sections = gateway_guide(name, language)

    assert len(sections) >= 4
    assert any(block.kind == "ol" and len(block.items) > 3 for block in sections[1].blocks)
    assert len(sections[1].blocks) == 1  # one list, not broken by what stands below its lines


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_script_has_steps_and_a_line_to_paste(language: str) -> None:
    steps = script_guide(language)[0].blocks[0]

    assert (steps.kind, len(steps.items)) == ("ol", 5)
    assert steps.items[0].code.startswith("<script")


def test_a_plugin_has_no_page() -> None:
    assert list(gateway_guide("nothing", "pt")) == []
