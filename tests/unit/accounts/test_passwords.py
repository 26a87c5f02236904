"""Which passwords are too easy to guess: those that are tried first, though they are long."""

import pytest

from trackai.accounts.passwords import check_password
from trackai.errors import InvalidField

EMAIL = "mariana@cursodoce.test"


@pytest.mark.parametrize(
    "password",
    [
        "cavalo bateria grampo",
        "outra senha bem longa",
        "çãéñ 日本語 пароль длинный",
        "Tr0ub4dor&3 e mais um pouco",
        "mariana gosta de chuva fina",
        "x" * 3 + "k7 q2 m9 v4 z8 w5",
    ],
)
def test_a_few_words_will_do(password: str) -> None:
    check_password(password, email=EMAIL)


@pytest.mark.parametrize(
    "password",
    [
        "short of letters"[:14],
        "k7q2m9v4" * 26,
        "123456789012345",
        "098765432109876",
        "abcdefghijklmnop",
        "qwertyuiopasdfgh",
        "mnbvcxzlkjhgfdsapo",
        "qazwsxedcrfvtgby",
        "senhasenhasenha",
        "minhavidaminhavida",
        "trackai1234567890",
        "Senha@Admin#2026!!!",
        "Track AI password 1",
        "mariana@cursodoce.test",
        "mariana cursodoce 2026",
        "aaaaaaaaabbbbbbbb",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidField) as refused:
        check_password(password, email=EMAIL)

    assert "password" == refused.value.field
