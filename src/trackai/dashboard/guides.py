"""What to click at each platform and where the script goes, read from the pages kept beside them.

The pages are ours and written in few marks: headings, lists with one level below, paragraphs, code.
They are turned into parts that templates print, so nothing in them can be taken for HTML.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

_FILES = {"pt": "setup.pt-BR.md", "en": "setup.en.md"}
_MARKS = re.compile(r"\*\*(?P<strong>[^*]+)\*\*|`(?P<code>[^`]+)`")
_ITEM = re.compile(r"(?P<margin> *)(?P<mark>\d+\.|-) (?P<text>.*)")
_CODE_MARGIN = " " * 7

Span = tuple[str, str]  # strong, code or text; and the words


@dataclass
class Item:
    """A line of a list, and what stands below it."""

    text: str
    below: list[str] = field(default_factory=list)
    code: str = ""


@dataclass
class Block:
    """A paragraph or a list."""

    kind: str  # p, ol, ul
    items: list[Item] = field(default_factory=list)


@dataclass
class Section:
    """Blocks under a heading; the first has none."""

    title: str = ""
    blocks: list[Block] = field(default_factory=list)


@cache
def gateway_guide(name: str, language: str) -> Sequence[Section]:
    """Return the set-up page of a payment platform; of a plugin's there is none."""
    return _read(f"trackai.gateways.{name}", language)


@cache
def script_guide(language: str) -> Sequence[Section]:
    """Return where to put the script."""
    return _read("trackai.tracker", language)


def spans(text: str) -> Iterator[Span]:
    """Return a line's parts, in order."""
    at = 0
    for found in _MARKS.finditer(text):
        if found.start() > at:
            yield "text", text[at : found.start()]
        yield str(found.lastgroup), found[found.lastgroup or 0]
        at = found.end()
    if at < len(text):
        yield "text", text[at:]


def read_guide(text: str) -> Sequence[Section]:
    """Return a page's sections, without its title."""
    sections, fresh = [Section()], True
    for line in text.splitlines():
        if not line.strip():
            fresh = True
        elif line.startswith("# "):
            continue
        elif line.startswith("## "):
            sections.append(Section(line[3:]))
        else:
            _add(sections[-1].blocks, line, fresh=fresh)
            fresh = False
    return [one for one in sections if one.blocks]


def _read(package: str, language: str) -> Sequence[Section]:
    try:
        return read_guide((files(package) / _FILES[language]).read_text("utf-8"))
    except (OSError, ModuleNotFoundError):
        return []


def _add(blocks: list[Block], line: str, *, fresh: bool) -> None:
    last = blocks[-1] if blocks else None
    item = _ITEM.fullmatch(line)
    if line.startswith(_CODE_MARGIN):
        _last_item(last).code = line.strip()
    elif item and item["margin"]:
        _last_item(last).below.append(item["text"])
    elif item:
        kind = "ul" if item["mark"] == "-" else "ol"
        # A list goes on after what stands indented below one of its lines.
        if last is None or last.kind != kind:
            last = Block(kind)
            blocks.append(last)
        last.items.append(Item(item["text"]))
    elif fresh or last is None:
        blocks.append(Block("p", [Item(line)]))
    else:
        _go_on(_last_item(last), line.strip())


def _last_item(block: Block | None) -> Item:
    return block.items[-1] if block else Item("")


def _go_on(item: Item, text: str) -> None:
    if item.below:
        item.below[-1] += f" {text}"
    else:
        item.text += f" {text}"
