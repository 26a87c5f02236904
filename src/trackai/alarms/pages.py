"""Runbooks, the pages of docs/runbooks: English, and beside it a folder a language."""

import re
from importlib.resources import files

_NAME = re.compile(r"[a-z][a-z0-9-]*")
# Where a language's pages are.
FOLDERS = {"en": "runbooks", "pt": "runbooks/pt-BR"}


def runbook_text(page: str, language: str) -> str | None:
    """Return a runbook in a language, Markdown; None when there is none."""
    path = files("trackai.alarms") / FOLDERS[language] / f"{page}.md"
    return path.read_text("utf-8") if _NAME.fullmatch(page) and path.is_file() else None
