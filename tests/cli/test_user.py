"""`trackai user`: links are printed once, and people can be kept out."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.program import Place


def test_somebody_is_invited_and_a_wrong_word_is_explained(place: "Place") -> None:
    place.run("tenant", "create", "Loja")
    invited = place.json("user", "invite", "ana@loja.test", "--tenant", "Loja", "--role", "analyst")
    nobody = place.json("user", "list")
    no_tenant = place.run("user", "invite", "ana@loja.test", "--tenant", "Outra")
    no_email = place.run("user", "invite", "ana")
    no_user = place.run("user", "disable", "ana@loja.test")
    no_password = place.run("user", "password", "ana@loja.test")
    deeds = place.json("audit", "list", "Loja")

    assert "/join/" in invited["link"]
    assert len(invited["link"].rsplit("/", 1)[1]) >= 43
    assert nobody == []
    assert (no_tenant.returncode, "trackai tenant list" in no_tenant.stderr) == (1, True)
    assert (no_email.returncode, "e-mail" in no_email.stderr) == (1, True)
    assert (no_user.returncode, "trackai user list" in no_user.stderr) == (1, True)
    assert (no_password.returncode, "trackai user list" in no_password.stderr) == (1, True)
    assert [deed["action"] for deed in deeds][:1] == ["team.invite"]
    assert "ana@" not in str(deeds)
