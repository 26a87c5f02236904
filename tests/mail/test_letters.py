"""What messages say, in both languages."""

import io
import string
from typing import TYPE_CHECKING

import pytest

from trackai.mail.console import ConsoleMail
from trackai.mail.letters import LANGUAGES, alarm, invitation, new_password, words_of

if TYPE_CHECKING:
    from trackai.mail.port import Letter

LINK = "https://track.example.com/join/abc_def-123"


def letters(language: str, team: str = "Loja") -> "list[Letter]":
    return [
        invitation(language, to="ana@example.com", link=LINK, team=team),
        new_password(language, to="ana@example.com", link=LINK),
        alarm(language, to="ana@example.com", link=LINK, title=f"Fila, {team}", text="Espera."),
    ]


def test_both_languages_say_the_same_with_the_same_holes() -> None:
    def holes(language: str) -> dict[tuple[str, str], set[str]]:
        return {
            (message, key): {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for message, words in words_of(language).items()
            for key, text in words.items()
        }

    assert holes("pt") == holes("en")
    assert all(text.strip() for words in words_of("en").values() for text in words.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_holds_its_link_and_no_hole(language: str) -> None:
    for letter in letters(language):
        assert f"\n{LINK}\n" in letter.text
        assert f'href="{LINK}"' in letter.html
        assert f'lang="{LANGUAGES[language]}"' in letter.html
        assert "{" not in letter.subject + letter.text + letter.html


def test_a_tenants_name_is_text_and_one_line() -> None:
    name = "A <b>&\r\nBcc: all@example.com {link}"
    letter = letters("en", name)[0]

    assert "<b>" not in letter.html
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "{link}" in letter.text.splitlines()[0]


async def test_the_console_shows_the_link() -> None:
    stream = io.StringIO()
    mail = ConsoleMail(stream)
    await mail.send(letters("pt")[0])

    assert LINK in stream.getvalue()
    assert not mail.reaches_people
