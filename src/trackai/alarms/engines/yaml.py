"""Documents of maps, lists, texts and numbers as YAML that people can read; writing alone.

Texts that YAML could take for something else are quoted as JSON quotes them, which it understands;
those of several lines, and those with quotes of their own, stand as blocks.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

Node = Mapping[str, "Node"] | Sequence["Node"] | str | float | bool

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*|[0-9]+[smhd]|https?://[A-Za-z0-9_./-]+")
_SPECIAL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def to_yaml(document: Mapping[str, Node], head: str = "") -> str:
    """Return a document under a comment."""
    comment = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*comment, *_lines(document)]) + "\n"


def _lines(node: Node) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _entry(f"{key}:", value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            first, *rest = _lines(value)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(node)


def _entry(key: str, value: Node) -> Iterator[str]:
    if isinstance(value, str) and ("\n" in value or '"' in value):
        yield f"{key} |-"
        yield from (f"  {line}" for line in value.splitlines())
    elif isinstance(value, str | float | int) or not value:
        yield f"{key} {_scalar(value)}"
    else:
        yield key
        yield from (f"  {line}" for line in _lines(value))


def _scalar(node: Node) -> str:
    if isinstance(node, str) and _PLAIN.fullmatch(node) and node.lower() not in _SPECIAL:
        return node
    return json.dumps(node, ensure_ascii=False)
