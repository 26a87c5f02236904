"""What messages say, in the reader's language: words/*.toml, the same keys in each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from trackai.mail.port import Kind, Letter

LANGUAGES = {"pt": "pt-BR", "en": "en"}
# Every mail program shows this, without pictures, styles or anything that is loaded.
_HTML = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>
<body>
{paragraphs}
</body></html>
"""


def invitation(language: str, *, to: str, link: str, team: str) -> Letter:
    """Return an invitation to a tenant's team."""
    # A tenant's name is its own to choose: no line of it may pass for one of ours.
    values = {"link": link, "team": " ".join(team.split())}
    return _letter(Kind.INVITATION, language, to, values)


def new_password(language: str, *, to: str, link: str) -> Letter:
    """Return a link by which somebody sets a new password."""
    return _letter(Kind.NEW_PASSWORD, language, to, {"link": link})


def alarm(language: str, *, to: str, link: str, title: str, text: str) -> Letter:
    """Return what tells of an alarm, with a link to what to do."""
    values = {"link": link, "title": " ".join(title.split()), "text": text}
    return _letter(Kind.ALARM, language, to, values)


@cache
def words_of(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return message -> subject and paragraphs of a language."""
    text = (files("trackai.mail") / "words" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _letter(kind: Kind, language: str, to: str, values: Mapping[str, str]) -> Letter:
    words = words_of(language)[kind]
    subject = words["subject"].format(**values)
    above, below = words["above"].format(**values), words["below"].format(**values)
    link = values["link"]
    paragraphs = (
        escape(above),
        f'<a href="{escape(link)}">{escape(words["go"])}</a>',
        escape(link),
        escape(below),
    )
    html = _HTML.format(
        language=LANGUAGES[language],
        subject=escape(subject),
        paragraphs="\n".join(f"<p>{one}</p>" for one in paragraphs),
    )
    return Letter(kind, to, subject, f"{above}\n\n{link}\n\n{below}\n", html)
