"""What tenants, funnels, keys and people may be called."""

import pytest

from trackai.accounts import words
from trackai.errors import InvalidField


@pytest.mark.parametrize("text", ["Café do Curso", "Ana Luíza d'Ávila", "👩\u200d💻 Loja", "محل"])
def test_a_name_stays_as_it_was_written(text: str) -> None:
    assert words.name(f"  {text} ") == text


def test_blanks_of_a_name_are_single_ones() -> None:
    assert words.name("Café\u00a0do\n\tCurso") == "Café do Curso"


@pytest.mark.parametrize(
    "text",
    [
        *("", " \u00a0", "\u200b", "\u200d", "a\x00b", "a\x1b[31mb"),
        *("\u202eesruC", "a\u2066b", "a\u200fb", "\udcff", "x" * 201),
    ],
)
def test_a_name_that_is_not_seen_or_turns_what_stands_beside_it_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        words.name(text)
